import { MedleyError } from './errors.js';

/**
 * Pixels as a scanner or a program holds them, grey or RGB, row by row. Sixteen bits stay sixteen
 * bits until the window is applied.
 */
export interface RawImage {
  /** `width` × `height` × `channels` values; RGB is interleaved. */
  data: Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** 1 (grey, the default) or 3 (RGB). */
  channels?: 1 | 3;
  /**
   * How many bits of an integer are used: 12 for a `Uint16Array` whose white is 4095. Default: all of
   * them.
   */
  bits?: number;
  /**
   * Which values become black to white: `center` ± half of `width`, in the units of `data`. Default:
   * all that `bits` can hold; 0 to 1 for a `Float32Array`.
   */
  window?: { center: number; width: number };
  /** What reports call it. */
  name?: string;
  /** Square millimetres of a pixel; reports then give the areas of masks in mm² too. */
  pixelArea?: number;
  /** Which frame of a file it is, counted from 1; reports say it. */
  frame?: number;
}

/**
 * What can be analysed. A `Blob` holds a file (PNG or JPEG), decoded by the model's own code; a
 * `RawImage` the pixels themselves; the others are read as the browser shows them, in 8 bits.
 */
export type ImageInput =
  | Blob
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | RawImage;

/** An image on its way to the worker. */
export type ImagePayload =
  /** A file: read in the worker and decoded by the model's own code, so that the answers are those of the command line. */
  | { form: 'file'; name: string; file: Blob }
  /** Pixels, 8-bit RGBA, not premultiplied. */
  | { form: 'rgba'; name: string; width: number; height: number; data: Uint8Array<ArrayBuffer> }
  /** Values of which `low` becomes black and `high` white. */
  | {
      form: 'samples';
      name: string;
      width: number;
      height: number;
      channels: 1 | 3;
      data: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
      low: number;
      high: number;
      pixelArea?: number;
      frame?: number;
    };

/** Turns what the caller has into a payload of its own: what happens to the caller's pixels later changes nothing. */
export function toPayload(image: ImageInput): ImagePayload {
  if (image instanceof Blob) return { form: 'file', name: image instanceof File ? image.name : '', file: image };
  if (isInstance(image, 'ImageData')) return fromImageData(image as ImageData);
  if ('data' in image) return fromRaw(image as RawImage);
  return fromImageData(draw(image));
}

/** What may be moved to the worker instead of copied. */
export function transferable(payload: ImagePayload): Transferable[] {
  return payload.form === 'file' ? [] : [payload.data.buffer];
}

/** Not every class is there in every place: a worker has no `HTMLImageElement`. */
function isInstance(value: object, name: string): boolean {
  const type = (globalThis as Record<string, unknown>)[name];
  return typeof type === 'function' && value instanceof type;
}

function fromImageData(image: ImageData): ImagePayload {
  return {
    form: 'rgba',
    name: '',
    width: image.width,
    height: image.height,
    data: new Uint8Array(image.data).slice(),
  };
}

function draw(image: Exclude<ImageInput, Blob | ImageData | RawImage>): ImageData {
  const [width, height] = isInstance(image, 'HTMLImageElement')
    ? [(image as HTMLImageElement).naturalWidth, (image as HTMLImageElement).naturalHeight]
    : [image.width, image.height];
  if (width === 0 || height === 0) {
    throw new MedleyError('image', 'the image has no pixels: wait until it has loaded');
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) {
    throw new MedleyError('image', `the browser gave no canvas of ${width}×${height} pixels; try a smaller image`);
  }
  context.drawImage(image, 0, 0);
  try {
    return context.getImageData(0, 0, width, height);
  } catch (error) {
    const foreign = error instanceof DOMException && error.name === 'SecurityError';
    throw new MedleyError(
      foreign ? 'image' : 'memory',
      foreign
        ? 'the browser does not let the pixels be read: the image is from another site that does not allow it'
        : `the browser has no room for ${width}×${height} pixels: try a smaller image, or close other tabs`,
      { cause: error },
    );
  }
}

function fromRaw(image: RawImage): ImagePayload {
  const { data, width, height, channels = 1, name = '' } = image;
  const invalid = (what: string): MedleyError => new MedleyError('image', `the raw image: ${what}; correct the call`);
  if (channels !== 1 && channels !== 3) throw invalid(`expected 1 or 3 channels, found ${String(channels)}`);
  for (const [side, value] of [['width', width], ['height', height]] as const) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalid(`expected a ${side} of at least 1 pixel, found ${value}`);
  }
  const expected = width * height * channels;
  if (data.length !== expected) {
    throw invalid(`${width}×${height} pixels of ${channels} need ${expected} values, found ${data.length}`);
  }
  const copy =
    data instanceof Uint8ClampedArray
      ? new Uint8Array(data)
      : (data.slice() as Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>);
  const [low, high] = valueRange(image);
  const { pixelArea, frame } = image;
  if (pixelArea !== undefined && !(Number.isFinite(pixelArea) && pixelArea > 0)) {
    throw invalid(`expected a pixel area above 0 mm², found ${pixelArea}`);
  }
  return {
    form: 'samples',
    name,
    width,
    height,
    channels,
    data: copy,
    low,
    high,
    ...(pixelArea === undefined ? {} : { pixelArea }),
    ...(frame === undefined ? {} : { frame }),
  };
}

/** The values that become black and white. */
export function valueRange({ data, bits, window }: RawImage): [number, number] {
  const invalid = (what: string): MedleyError => new MedleyError('image', `the raw image: ${what}; correct the call`);
  if (window !== undefined) {
    const { center, width } = window;
    if (!(Number.isFinite(center) && Number.isFinite(width) && width > 0)) {
      throw invalid(`expected a window with a center and a width above 0, found ${center} and ${width}`);
    }
    return [center - width / 2, center + width / 2];
  }
  if (data instanceof Float32Array) {
    if (bits !== undefined) throw invalid('bits are for integers; give a window for a Float32Array');
    return [0, 1];
  }
  const most = 8 * data.BYTES_PER_ELEMENT;
  if (bits !== undefined && !(Number.isInteger(bits) && bits >= 1 && bits <= most)) {
    throw invalid(`expected 1 to ${most} bits, found ${bits}`);
  }
  return [0, 2 ** (bits ?? most) - 1];
}

import { MedleyError } from './errors.js';

/** What can be analysed. */
export type ImageInput =
  | Blob
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas;

/** An image on its way to the worker. */
export type ImagePayload =
  /** The bytes of a PNG or JPEG file: decoded by the model's own code, so that the answers are those of the command line. */
  | { form: 'encoded'; name: string; bytes: Uint8Array<ArrayBuffer> }
  /** Pixels, 8-bit RGBA, not premultiplied. */
  | { form: 'rgba'; name: string; width: number; height: number; bytes: Uint8Array<ArrayBuffer> };

/** Turns what the caller has into bytes of its own that can be handed over to the worker. */
export async function toPayload(image: ImageInput): Promise<ImagePayload> {
  if (image instanceof Blob) {
    const name = image instanceof File ? image.name : '';
    try {
      return { form: 'encoded', name, bytes: new Uint8Array(await image.arrayBuffer()) };
    } catch (error) {
      throw new MedleyError('image', `${name || 'the image'} could not be read: ${String(error)}`, { cause: error });
    }
  }
  if (image instanceof ImageData) return fromImageData(image);
  const [width, height] =
    image instanceof HTMLImageElement ? [image.naturalWidth, image.naturalHeight] : [image.width, image.height];
  if (width === 0 || height === 0) {
    throw new MedleyError('image', 'the image has no pixels: wait until it has loaded');
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) {
    throw new MedleyError('image', `the browser gave no canvas of ${width}×${height} pixels`);
  }
  context.drawImage(image, 0, 0);
  try {
    return fromImageData(context.getImageData(0, 0, width, height));
  } catch (error) {
    throw new MedleyError(
      'image',
      'the browser does not let the pixels be read: the image is from another site that does not allow it',
      { cause: error },
    );
  }
}

function fromImageData(image: ImageData): ImagePayload {
  return {
    form: 'rgba',
    name: '',
    width: image.width,
    height: image.height,
    bytes: new Uint8Array(image.data).slice(),
  };
}

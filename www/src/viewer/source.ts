import type { FrameValues } from '@medley/web/dicom';
import { type NamedWindow, type Preset, presetWindow, type Window } from './window-level.js';

/** Where a picture's values come from, and how they become grey or coloured pixels of the screen. */
export interface Source {
  /** Of the values, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
  /** The window to begin with. */
  readonly start: Window;
  /** Windows that the file brings along. */
  readonly windows: readonly NamedWindow[];
  /** Of the values, as "HU". */
  readonly unit: string | null;
  /** Least and greatest value that a level may have, and the smallest width of a window. */
  readonly limits: { low: number; high: number; width: number };
  preset(preset: Preset): Window;
  /** Writes RGBA pixels through a window. */
  paint(window: Window, inverted: boolean, to: Uint8ClampedArray): void;
  /** The values at the n-th pixel; none where there is no pixel. */
  at(n: number): number[];
}

/** An 8-bit picture as a browser holds it. */
export class ByteSource implements Source {
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
  readonly start: Window = { level: 127.5, width: 255 };
  readonly windows: readonly NamedWindow[] = [];
  readonly unit = null;
  readonly limits = { low: 0, high: 255, width: 1 };
  readonly #pixels: Uint8ClampedArray;

  constructor({ width, height, data }: ImageData) {
    this.width = width;
    this.height = height;
    this.#pixels = data;
    this.grey = isGrey(data);
  }

  preset(preset: Preset): Window {
    return presetWindow(preset, brightness(this.#pixels), 0, 255);
  }

  paint({ level, width }: Window, inverted: boolean, to: Uint8ClampedArray): void {
    const table = new Uint8ClampedArray(256);
    for (let value = 0; value < 256; value++) {
      const shown = (255 * (value - (level - width / 2))) / width;
      table[value] = inverted ? 255 - shown : shown;
    }
    const from = this.#pixels;
    for (let i = 0; i < from.length; i += 4) {
      to[i] = table[from[i] ?? 0] ?? 0;
      to[i + 1] = table[from[i + 1] ?? 0] ?? 0;
      to[i + 2] = table[from[i + 2] ?? 0] ?? 0;
      to[i + 3] = 255;
    }
  }

  at(n: number): number[] {
    return [...this.#pixels.subarray(4 * n, 4 * n + (this.grey ? 1 : 3))];
  }
}

/** A grey DICOM frame with its own values, as Hounsfield units. */
export class ValueSource implements Source {
  readonly width: number;
  readonly height: number;
  readonly grey = true;
  readonly start: Window;
  readonly windows: readonly NamedWindow[];
  readonly unit: string | null;
  readonly limits: Source['limits'];
  readonly #values: Float32Array;
  /** Low values are bright, where nobody inverts. */
  readonly #bright: boolean;

  constructor({ width, height, values, inverted, low, high }: FrameValues, windows: readonly NamedWindow[], unit: string | null) {
    this.width = width;
    this.height = height;
    this.#values = values;
    this.#bright = inverted;
    this.windows = windows;
    this.unit = unit;
    // Of a frame that is all padding nothing is known.
    const [from, to] = Number.isFinite(low) && Number.isFinite(high) ? [low, high] : [0, 1];
    const range = to - from || 1;
    this.start = windows[0] ?? { level: (from + to) / 2, width: range };
    const { level, width: wide } = this.start;
    // A window of the file may reach beyond the values of one slice.
    this.limits = { low: Math.min(from, level - wide / 2), high: Math.max(to, level + wide / 2), width: Math.min(range, wide) / 256 };
  }

  preset(preset: Preset): Window {
    return presetWindow(preset, this.#values, this.limits.low, this.limits.high);
  }

  paint({ level, width }: Window, inverted: boolean, to: Uint8ClampedArray): void {
    // PS3.3 C.11.2.1: the linear window, and for narrow ones of floats the exact one.
    const [black, span] = width > 1 ? [level - 0.5 - (width - 1) / 2, width - 1] : [level - width / 2, width];
    const flip = inverted !== this.#bright;
    const values = this.#values;
    for (let n = 0, i = 0; n < values.length; n++, i += 4) {
      const value = values[n] ?? Number.NaN;
      // Padding is background, whatever the polarity; an array of clamped bytes makes 0 of NaN.
      const share = (value - black) / span;
      const shown = 255 * (flip ? 1 - share : share);
      to[i] = shown;
      to[i + 1] = shown;
      to[i + 2] = shown;
      to[i + 3] = 255;
    }
  }

  at(n: number): number[] {
    const value = this.#values[n];
    return value === undefined || Number.isNaN(value) ? [] : [value];
  }
}

/** Values of a frame whose longer side is at most `maxSide`: means of whole blocks. */
export function scaledDown(frame: FrameValues, maxSide: number): FrameValues {
  const block = Math.ceil(Math.max(frame.width, frame.height) / maxSide);
  if (block <= 1) return frame;
  const [width, height] = [Math.ceil(frame.width / block), Math.ceil(frame.height / block)];
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [sum, count] = [0, 0];
      const [right, bottom] = [Math.min((x + 1) * block, frame.width), Math.min((y + 1) * block, frame.height)];
      for (let v = y * block; v < bottom; v++) {
        for (let u = x * block; u < right; u++) {
          const value = frame.values[v * frame.width + u] ?? Number.NaN;
          if (Number.isNaN(value)) continue;
          sum += value;
          count += 1;
        }
      }
      values[y * width + x] = sum / count;
    }
  }
  return { ...frame, width, height, values };
}

function isGrey(pixels: Uint8ClampedArray): boolean {
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  }
  return true;
}

function* brightness(pixels: Uint8ClampedArray): Generator<number> {
  for (let i = 0; i < pixels.length; i += 4) yield Math.max(pixels[i] ?? 0, pixels[i + 1] ?? 0, pixels[i + 2] ?? 0);
}

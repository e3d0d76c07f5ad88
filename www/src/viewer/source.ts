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
  /** How far a drag of one pixel changes a window, in values. */
  readonly step: number;
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

/** Whole values from 0 to `most`, grey or RGB: an 8-bit picture as a browser holds it, or the 16 bits of a file. */
export class IntegerSource implements Source {
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
  readonly start: Window;
  readonly step: number;
  readonly windows: readonly NamedWindow[] = [];
  readonly unit = null;
  readonly limits: Source['limits'];
  readonly #values: Uint8ClampedArray | Uint16Array;
  /** Of a pixel, those that are not shown included. */
  readonly #channels: number;
  readonly #most: number;

  constructor(size: { width: number; height: number }, values: Uint8ClampedArray | Uint16Array, channels: 1 | 3 | 4) {
    this.width = size.width;
    this.height = size.height;
    this.#values = values;
    this.#channels = channels;
    this.#most = 2 ** (8 * values.BYTES_PER_ELEMENT) - 1;
    this.grey = channels === 1 || isGrey(values, channels);
    // As the model sees it: a file of 16 bits that uses 12 of them is dark to it, too.
    this.start = { level: this.#most / 2, width: this.#most };
    const [low, high] = this.#range();
    this.step = this.#most === 255 ? 1 : Math.max(1, (high - low) / 255);
    this.limits = { low: 0, high: this.#most, width: 1 };
  }

  preset(preset: Preset): Window {
    const [low, high] = preset === 'auto' ? this.#range() : [0, this.#most];
    return presetWindow(preset, this.#brightness(), low, high);
  }

  paint({ level, width }: Window, inverted: boolean, to: Uint8ClampedArray): void {
    const table = new Uint8ClampedArray(this.#most + 1);
    for (let value = 0; value <= this.#most; value++) {
      const shown = (255 * (value - (level - width / 2))) / width;
      table[value] = inverted ? 255 - shown : shown;
    }
    const [from, channels] = [this.#values, this.#channels];
    const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
    for (let i = 0, at = 0; i < to.length; i += 4, at += channels) {
      to[i] = table[from[at] ?? 0] ?? 0;
      to[i + 1] = table[from[at + green] ?? 0] ?? 0;
      to[i + 2] = table[from[at + blue] ?? 0] ?? 0;
      to[i + 3] = 255;
    }
  }

  at(n: number): number[] {
    const first = this.#channels * n;
    return [...this.#values.subarray(first, first + (this.grey ? 1 : 3))];
  }

  /** Of the brightest channel of each pixel. */
  *#brightness(): Generator<number> {
    const [values, channels] = [this.#values, this.#channels];
    const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
    for (let at = 0; at < values.length; at += channels) yield Math.max(values[at] ?? 0, values[at + green] ?? 0, values[at + blue] ?? 0);
  }

  /** Least and greatest brightness; of 8 bits all that there can be. */
  #range(): [number, number] {
    if (this.#most === 255) return [0, 255];
    let [low, high] = [this.#most, 0];
    for (const value of this.#brightness()) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low < high ? [low, high] : [0, this.#most];
  }
}

/** A grey DICOM frame with its own values, as Hounsfield units. */
export class ValueSource implements Source {
  readonly width: number;
  readonly height: number;
  readonly grey = true;
  readonly start: Window;
  readonly step: number;
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
    this.step = wide / 255;
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

function isGrey(values: Uint8ClampedArray | Uint16Array, channels: number): boolean {
  for (let at = 0; at < values.length; at += channels) {
    if (values[at] !== values[at + 1] || values[at] !== values[at + 2]) return false;
  }
  return true;
}

import type { Preview } from '@medley/web';
import { applyTable, FULL, lookupTable, type Preset, presetWindow, type Window } from './window-level.js';

/** The image as it is shown: its pixels through the window. */
export class Picture {
  /** Of the image itself, in pixels; the picture may be smaller. */
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
  readonly canvas = document.createElement('canvas');
  readonly #source: ImageData;
  readonly #shown: ImageData;
  #window = FULL;
  #inverted = false;
  #stale = true;

  constructor({ width, height, pixels }: Preview) {
    this.width = width;
    this.height = height;
    this.#source = pixels;
    this.#shown = new ImageData(pixels.width, pixels.height);
    this.canvas.width = pixels.width;
    this.canvas.height = pixels.height;
    this.grey = isGrey(pixels.data);
  }

  get window(): Window {
    return this.#window;
  }

  set window({ level, width }: Window) {
    this.#window = { level: Math.min(Math.max(level, 0), 255), width: Math.min(Math.max(width, 1), 510) };
    this.#stale = true;
  }

  get inverted(): boolean {
    return this.#inverted;
  }

  set inverted(inverted: boolean) {
    this.#inverted = inverted;
    this.#stale = true;
  }

  /** Whether the values are of a picture that was scaled down for the screen. */
  get scaled(): boolean {
    return this.#source.width !== this.width;
  }

  preset(preset: Preset): void {
    this.window = presetWindow(preset, this.#source.data);
  }

  /** What to draw, through the window as it is now. */
  render(): HTMLCanvasElement {
    if (this.#stale) {
      applyTable(this.#source.data, this.#shown.data, lookupTable(this.#window, this.#inverted));
      this.canvas.getContext('2d')?.putImageData(this.#shown, 0, 0);
      this.#stale = false;
    }
    return this.canvas;
  }

  /** The values at a pixel of the image, before the window; `null` outside. */
  valueAt(x: number, y: number): number[] | null {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return null;
    const { width, height, data } = this.#source;
    const [u, v] = [Math.floor((x * width) / this.width), Math.floor((y * height) / this.height)];
    const at = 4 * (v * width + u);
    return [...data.subarray(at, at + (this.grey ? 1 : 3))];
  }
}

function isGrey(pixels: Uint8ClampedArray): boolean {
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  }
  return true;
}

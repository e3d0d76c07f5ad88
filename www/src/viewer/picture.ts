import type { Preview } from '@medley/web';
import type { FrameValues, WindowDescription } from '@medley/web/dicom';
import { IntegerSource, scaledDown, type Source, ValueSource } from './source.js';
import type { NamedWindow, Preset, Window } from './window-level.js';

/** The image as it is shown: its values through the window. */
export class Picture {
  /** Of the image itself, in pixels; the picture may be smaller. */
  readonly width: number;
  readonly height: number;
  readonly canvas = document.createElement('canvas');
  readonly #source: Source;
  #window: Window;
  #inverted = false;
  #stale = true;
  #shown: ImageData | null = null;

  constructor(size: { width: number; height: number }, source: Source) {
    this.width = size.width;
    this.height = size.height;
    this.#source = source;
    this.#window = source.start;
    this.canvas.width = source.width;
    this.canvas.height = source.height;
  }

  get grey(): boolean {
    return this.#source.grey;
  }

  /** The window to begin with. */
  get start(): Window {
    return this.#source.start;
  }

  /** Windows that the file brings along. */
  get windows(): readonly NamedWindow[] {
    return this.#source.windows;
  }

  /** Of the values, as "HU"; `null` where nothing says it. */
  get unit(): string | null {
    return this.#source.unit;
  }

  /** How far a drag of one pixel changes a window, in values. */
  get step(): number {
    return this.#source.step;
  }

  get window(): Window {
    return this.#window;
  }

  set window({ level, width }: Window) {
    const { low, high, width: least } = this.#source.limits;
    this.#window = {
      level: Math.min(Math.max(level, low), high),
      width: Math.min(Math.max(width, least), 2 * (high - low)),
    };
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
    this.window = this.#source.preset(preset);
  }

  /** What to draw, through the window as it is now. */
  render(): HTMLCanvasElement {
    if (this.#stale) {
      this.#shown ??= new ImageData(this.#source.width, this.#source.height);
      this.#source.paint(this.#window, this.#inverted, this.#shown.data);
      this.canvas.getContext('2d')?.putImageData(this.#shown, 0, 0);
      this.#stale = false;
    }
    return this.canvas;
  }

  /** The values at a pixel of the image, before the window; `null` outside, and where the file says that there is none. */
  valueAt(x: number, y: number): number[] | null {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return null;
    const { width, height } = this.#source;
    const [u, v] = [Math.floor((x * width) / this.width), Math.floor((y * height) / this.height)];
    const values = this.#source.at(v * width + u);
    return values.length === 0 ? null : values;
  }
}

/** Of a decoded image: with the file's own values where they have 16 bits, else those of the screen. */
export function wholePicture({ width, height, pixels, values }: Preview): Picture {
  const source = values === null ? new IntegerSource(pixels, pixels.data, 4) : new IntegerSource(pixels, values.data, values.channels);
  return new Picture({ width, height }, source);
}

/** Of the values of a DICOM frame. */
export function valuePicture(
  frame: FrameValues,
  of: { windows: readonly WindowDescription[]; unit: string | null; maxSide: number },
): Picture {
  const windows = of.windows.map(({ center, width, name }) => ({ level: center, width, name }));
  return new Picture(frame, new ValueSource(scaledDown(frame, of.maxSide), windows, of.unit));
}

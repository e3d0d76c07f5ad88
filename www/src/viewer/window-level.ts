/** Which grey values are spread over the screen's range, in the values of an 8-bit picture. */
export interface Window {
  /** Middle of what is shown. */
  level: number;
  /** From black to white; at least 1. */
  width: number;
}

export const FULL: Window = { level: 127.5, width: 255 };

export type Preset = 'full' | 'auto' | 'dark' | 'bright';
export const PRESETS: readonly Preset[] = ['full', 'auto', 'dark', 'bright'];

/** The window of a preset for these pixels (RGBA). */
export function presetWindow(preset: Preset, pixels: Uint8ClampedArray): Window {
  switch (preset) {
    case 'full':
      return FULL;
    case 'auto':
      return percentiles(pixels, 0.01, 0.99);
    case 'dark':
      return { level: 64, width: 128 };
    case 'bright':
      return { level: 191.5, width: 127 };
  }
}

/** From one share of the pixels to another, by brightness. */
function percentiles(pixels: Uint8ClampedArray, low: number, high: number): Window {
  const counts = new Uint32Array(256);
  for (let i = 0; i < pixels.length; i += 4) {
    const value = Math.max(pixels[i] ?? 0, pixels[i + 1] ?? 0, pixels[i + 2] ?? 0);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  const at = (share: number): number => {
    let left = (share * pixels.length) / 4;
    for (let value = 0; value < 256; value++) {
      left -= counts[value] ?? 0;
      if (left <= 0) return value;
    }
    return 255;
  };
  const [bottom, top] = [at(low), at(high)];
  return { level: (bottom + top) / 2, width: Math.max(1, top - bottom) };
}

/** What each of the 256 values becomes. */
export function lookupTable({ level, width }: Window, inverted: boolean): Uint8ClampedArray {
  const table = new Uint8ClampedArray(256);
  for (let value = 0; value < 256; value++) {
    const shown = (255 * (value - (level - width / 2))) / width;
    table[value] = inverted ? 255 - shown : shown;
  }
  return table;
}

/** Changes the colours of RGBA pixels by a table, from one array into the other. */
export function applyTable(from: Uint8ClampedArray, to: Uint8ClampedArray, table: Uint8ClampedArray): void {
  for (let i = 0; i < from.length; i += 4) {
    to[i] = table[from[i] ?? 0] ?? 0;
    to[i + 1] = table[from[i + 1] ?? 0] ?? 0;
    to[i + 2] = table[from[i + 2] ?? 0] ?? 0;
    to[i + 3] = 255;
  }
}

/** Which values are spread over the screen's range. */
export interface Window {
  /** Middle of what is shown. */
  level: number;
  /** From black to white. */
  width: number;
}

/** A window that a file brings along. */
export interface NamedWindow extends Window {
  /** What the file calls it. */
  name: string | null;
}

export type Preset = 'full' | 'auto' | 'dark' | 'bright';
export const PRESETS: readonly Preset[] = ['full', 'auto', 'dark', 'bright'];

/** Values are counted in so many steps at most, from the least to the greatest. */
const MAX_STEPS = 1024;
/** Which shares of the pixels lie below and above an automatic window. */
const CUT = 0.01;

/** The window of a preset for values between `low` and `high`; NaN is no value. */
export function presetWindow(preset: Preset, values: Iterable<number>, low: number, high: number): Window {
  const range = high - low;
  // Whole values where there are whole values.
  const [lower, upper] = range > 2 ? [Math.ceil(range / 2), Math.floor(range / 2)] : [range / 2, range / 2];
  switch (preset) {
    case 'full':
      return { level: (low + high) / 2, width: range };
    case 'auto':
      return percentiles(values, low, high);
    case 'dark':
      return { level: low + lower / 2, width: lower };
    case 'bright':
      return { level: high - upper / 2, width: upper };
  }
}

/** From one share of the pixels to another, by brightness. */
function percentiles(values: Iterable<number>, low: number, high: number): Window {
  const steps = Number.isInteger(high - low) ? Math.min(MAX_STEPS, high - low + 1) : MAX_STEPS;
  const counts = new Uint32Array(steps);
  const scale = (steps - 1) / (high - low || 1) || 1;
  let all = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    const step = Math.min(Math.max(Math.round((value - low) * scale), 0), steps - 1);
    counts[step] = (counts[step] ?? 0) + 1;
    all += 1;
  }
  const at = (share: number): number => {
    let left = share * all;
    for (let step = 0; step < steps; step++) {
      left -= counts[step] ?? 0;
      if (left <= 0) return low + step / scale;
    }
    return high;
  };
  const [bottom, top] = [at(CUT), at(1 - CUT)];
  return { level: (bottom + top) / 2, width: Math.max((high - low) / 256, top - bottom) };
}

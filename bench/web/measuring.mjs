// What the measurements in the browser share: figures of repeated runs, and a picture that helps nobody. It is imported by the
// scripts and by their pages.

/**
 * One figure, as `medley_bench::Row`.
 * @typedef {{ engine: string, backend: string, threads: number, model: string, measure: string, median: number, low: number, high: number, unit: string }} Row
 */

/** Median, tenth and nine tenths of values; not numbers where there are none. @param {readonly number[]} values */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}

/** Noise, 0..255: nothing in the arithmetic may profit from zeros. @param {number} i */
export function grain(i) {
  return (i * 2654435761) >>> 24;
}

/** A square of noise. @param {number} side - in pixels */
export function noisePicture(side) {
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d');
  const pixels = context?.createImageData(side, side);
  if (context == null || pixels === undefined) throw new Error('this browser gives no canvas to draw on');
  for (let i = 0; i < pixels.data.length; i += 1) pixels.data[i] = grain(i);
  context.putImageData(pixels, 0, 0);
  return canvas;
}

import { said } from './detail.js';
import { MedleyError } from './errors.js';
import type { MaskResult } from './types.js';

/** The class of each pixel, row by row, out of the PNG that a report holds. */
export async function maskPixels({ mask }: MaskResult): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(atob(mask.png_base64), (char) => char.charCodeAt(0));
  // The values are classes, not colours: no profile of a screen may touch them.
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) {
    const text = `the browser gave no canvas of ${width}×${height} pixels for a mask`;
    throw new MedleyError('memory', said(text, 'no-canvas', { width, height }));
  }
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: width * height }, (_, i) => data[4 * i] ?? 0);
}

import type { MaskResult } from '@medley/web';

/** A class per pixel, row by row. */
export interface MaskPixels {
  width: number;
  height: number;
  indices: Uint8Array;
}

/** Unpacks the PNG of class indices that a report holds. */
export async function unpackMask({ mask }: MaskResult): Promise<MaskPixels> {
  const text = atob(mask.png_base64);
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  // The values are classes, not colours: no profile of a screen may touch them.
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error(`the browser gave no canvas of ${width}×${height} pixels for a mask`);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const indices = new Uint8Array(width * height);
  for (let i = 0; i < indices.length; i++) indices[i] = data[4 * i] ?? 0;
  return { width, height, indices };
}

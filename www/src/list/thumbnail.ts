/** In pixels; twice its size on the page, for dense screens. */
const SIDE = 112;

/** A small square picture out of the image's middle, as an address that must be freed. */
export async function thumbnail(pixels: ImageData): Promise<string> {
  const bitmap = await createImageBitmap(pixels);
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext('2d');
  if (context !== null) {
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  }
  bitmap.close();
  return URL.createObjectURL(await canvas.convertToBlob({ type: 'image/png' }));
}

import { type Model, NOTICE } from '@medley/web';
import type { Item } from '../list/item.js';
import { pictureOf } from '../dicom/item-series.js';
import { wholePicture } from '../viewer/picture.js';
import { drawScene } from '../viewer/scene.js';
import type { Viewer } from '../viewer/viewer.js';

/** Longer side of an exported picture, in pixels: what every browser's canvas and clipboard can hold. */
const LARGEST = 4096;
/** Narrower pictures are enlarged, in whole steps, so that the line below them can be read. */
const NARROWEST = 480;

/**
 * The image in its own size with window, masks and boxes as they are shown, and below it a strip with the
 * notice, which no crop of the viewer removes.
 */
export async function exportPicture(item: Item, model: Model, viewer: Viewer): Promise<Blob> {
  const picture =
    item.series === null
      ? wholePicture(await model.preview(item.file, { maxSide: LARGEST }))
      : await pictureOf(item.series.slice, LARGEST);
  if (viewer.picture !== null) {
    picture.window = viewer.picture.window;
    picture.inverted = viewer.picture.inverted;
  }
  const shrunk = picture.canvas.width / picture.width;
  const scale = shrunk < 1 ? shrunk : Math.max(1, Math.ceil(NARROWEST / picture.width));
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const density = Math.max(1, width / 900);
  const lines = [NOTICE, [item.report?.model, item.series?.sliceName(item.series.at) ?? item.file.name].filter(Boolean).join(' · ')];
  const line = Math.round(20 * density);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height + line * lines.length + Math.round(8 * density);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error(`the browser gave no canvas of ${canvas.width}×${canvas.height} pixels`);
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  const { layers, threshold } = viewer.look;
  drawScene(context, { picture, layers: viewer.overlays ? layers : [], threshold }, { scale, x: 0, y: 0, density });
  context.restore();
  context.fillStyle = '#0b1014';
  context.fillRect(0, height, width, canvas.height - height);
  context.textBaseline = 'middle';
  lines.forEach((text, i) => {
    context.font = `${i === 0 ? 600 : 400} ${Math.round(13 * density)}px system-ui, sans-serif`;
    context.fillStyle = i === 0 ? '#ffdb8f' : '#d9e2e8';
    context.fillText(text, 10 * density, height + 4 * density + line * (i + 0.5), width - 20 * density);
  });
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error(`the browser made no PNG of ${canvas.width}×${canvas.height} pixels`));
      else resolve(blob);
    }, 'image/png');
  });
}

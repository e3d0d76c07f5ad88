import { term } from '../format.js';
import type { BoxesLayer, Layer, MaskLayer } from './layers.js';
import type { Picture } from './picture.js';

/** Beyond this many boxes labels and heavy lines hide more than they tell; the legend names the colours. */
const MAX_LABELS = 12;

/** What is to be seen. */
export interface Scene {
  picture: Picture;
  layers: readonly Layer[];
  /** Boxes below it are not drawn, 0..1. */
  threshold: number;
}

/** Where it is drawn: `canvas = image · scale + offset`, in pixels of the canvas. */
export interface Placement {
  scale: number;
  x: number;
  y: number;
  /** Pixels of the canvas for one of CSS: lines and letters keep their size. */
  density: number;
}

/** Draws the image and all that lies over it; the screen and the exported picture are made by this alone. */
export function drawScene(context: CanvasRenderingContext2D, scene: Scene, at: Placement): void {
  const { picture, layers } = scene;
  const [wide, high] = [picture.width * at.scale, picture.height * at.scale];
  // Enlarged pixels are shown as the squares that they are: nothing is made up between them.
  context.imageSmoothingEnabled = at.scale < 3 * at.density;
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture.render(), at.x, at.y, wide, high);
  for (const layer of layers) {
    if (layer.kind === 'mask') drawMask(context, layer, at, wide, high);
  }
  for (const layer of layers) {
    if (layer.kind === 'boxes') drawBoxes(context, layer, scene.threshold, at);
  }
}

function drawMask(context: CanvasRenderingContext2D, layer: MaskLayer, at: Placement, wide: number, high: number): void {
  const area = layer.area();
  if (area === null) return;
  context.drawImage(area, at.x, at.y, wide, high);
  layer.classes.forEach(({ style }, n) => {
    if (style.fill === 'fill') return;
    context.save();
    context.translate(at.x, at.y);
    context.scale(at.scale, at.scale);
    context.lineWidth = (1.5 * at.density) / at.scale;
    context.lineCap = 'square';
    context.strokeStyle = style.colour;
    context.stroke(layer.outline(n));
    context.restore();
  });
}

function drawBoxes(context: CanvasRenderingContext2D, layer: BoxesLayer, threshold: number, at: Placement): void {
  const shown = layer.result.boxes.filter((box) => box.score >= threshold);
  const { density } = at;
  context.font = `${12 * density}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const crowded = shown.length > MAX_LABELS;
  const line = (crowded ? 1.6 : 2) * density;
  for (const { box, class: name, score } of shown) {
    const colour = layer.classes.find((entry) => entry.name === name)?.style.colour ?? '#ffffff';
    const [x, y] = [at.x + box[0] * at.scale, at.y + box[1] * at.scale];
    const [wide, high] = [(box[2] - box[0]) * at.scale, (box[3] - box[1]) * at.scale];
    // A dark line under the coloured one keeps it visible on any ground.
    context.lineWidth = line + 1.5 * density;
    context.strokeStyle = 'rgb(0 0 0 / 0.55)';
    context.strokeRect(x, y, wide, high);
    context.lineWidth = line;
    context.strokeStyle = colour;
    context.strokeRect(x, y, wide, high);
    if (!crowded) drawLabel(context, `${term(name)} ${Math.round(100 * score)} %`, x, y, colour, density);
  }
}

/** A name above a box; below its upper line where there is no room above. */
function drawLabel(context: CanvasRenderingContext2D, text: string, x: number, y: number, colour: string, density: number): void {
  const [wide, high] = [context.measureText(text).width + 8 * density, 17 * density];
  const left = Math.min(Math.max(0, x - density), context.canvas.width - wide);
  const top = y >= high ? y - high : y;
  context.fillStyle = 'rgb(0 0 0 / 0.72)';
  context.fillRect(left, top, wide, high);
  context.fillStyle = colour;
  context.fillText(text, left + 4 * density, top + high / 2);
}

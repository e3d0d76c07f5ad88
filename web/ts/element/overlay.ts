import type { Preview } from '../model.js';
import type { Analysis, BoxesResult, Mask, TaskSpec } from '../types.js';
import { colourOf, cssColourOf } from './colours.js';

/** How much of the image a mask hides. */
const MASK_ALPHA = 0.45;

/** Draws the image and, over it, the masks and boxes of the tasks that are shown. */
export function draw(
  canvas: HTMLCanvasElement,
  preview: Preview,
  analysis: Analysis | null,
  tasks: readonly TaskSpec[],
  shown: ReadonlySet<string>,
): void {
  const { pixels } = preview;
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const painted = new ImageData(new Uint8ClampedArray(pixels.data), pixels.width, pixels.height);
  const results = analysis?.report.results.filter(({ task }) => shown.has(task)) ?? [];
  for (const { task } of results) {
    const mask = analysis?.masks[task];
    if (mask !== undefined) paint(painted, mask);
  }
  context.putImageData(painted, 0, 0);
  for (const result of results) {
    if (result.kind !== 'detection') continue;
    const classes = tasks.find(({ name }) => name === result.task)?.classes ?? [];
    drawBoxes(context, result, classes, pixels.width / preview.width, pixels.height / preview.height);
  }
}

/** Mixes each pixel with the colour of its class; class 0 is the background. */
function paint(image: ImageData, mask: Mask): void {
  const { data, width, height } = image;
  for (let y = 0; y < height; y++) {
    const row = Math.min(mask.height - 1, Math.floor(((y + 0.5) * mask.height) / height)) * mask.width;
    for (let x = 0; x < width; x++) {
      const column = Math.min(mask.width - 1, Math.floor(((x + 0.5) * mask.width) / width));
      const index = mask.indices[row + column] ?? 0;
      if (index === 0) continue;
      const colour = colourOf(index - 1);
      const at = 4 * (y * width + x);
      for (let c = 0; c < 3; c++) {
        data[at + c] = (1 - MASK_ALPHA) * (data[at + c] ?? 0) + MASK_ALPHA * (colour[c] ?? 0);
      }
    }
  }
}

function drawBoxes(
  context: CanvasRenderingContext2D,
  { boxes }: BoxesResult,
  classes: readonly string[],
  sx: number,
  sy: number,
): void {
  const line = Math.max(1.5, Math.min(context.canvas.width, context.canvas.height) / 300);
  for (const { box, class: name } of boxes) {
    const [x0, y0, x1, y1] = box;
    const rectangle = [x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy] as const;
    // A dark line under the coloured one keeps it visible on any ground.
    context.lineWidth = 2 * line;
    context.strokeStyle = 'rgb(0 0 0 / 0.55)';
    context.strokeRect(...rectangle);
    context.lineWidth = line;
    context.strokeStyle = cssColourOf(Math.max(0, classes.indexOf(name)));
    context.strokeRect(...rectangle);
  }
}

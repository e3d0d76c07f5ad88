import type { Analysis, BoxesResult, MaskResult, TaskSpec } from '@medley/web';
import { channels, colour } from './palette.js';

/** A class with its colour, for pictures and legends alike. */
export interface LayerClass {
  name: string;
  colour: string;
}

/** What one task puts over the image. */
export type Layer =
  | { kind: 'mask'; task: string; classes: LayerClass[]; picture: HTMLCanvasElement; result: MaskResult }
  | { kind: 'boxes'; task: string; classes: LayerClass[]; result: BoxesResult };

/**
 * Makes the layers of an analysis. Colours run on from task to task, so that two tasks shown
 * together are not of one colour.
 */
export function makeLayers(analysis: Analysis, tasks: readonly TaskSpec[]): Layer[] {
  const next = new Map<string, number>();
  const layers: Layer[] = [];
  for (const result of analysis.report.results) {
    const spec = tasks.find((task) => task.name === result.task);
    if (spec === undefined || result.kind === 'classification') continue;
    const first = next.get(spec.modality) ?? 0;
    if (result.kind === 'segmentation') {
      const mask = analysis.masks[result.task];
      if (mask === undefined) continue;
      // Class 0 is the background: it has no colour.
      const classes = spec.classes.slice(1).map((name, i) => ({ name, colour: colour(first + i) }));
      next.set(spec.modality, first + classes.length);
      const picture = paintMask(mask.width, mask.height, mask.indices, classes);
      layers.push({ kind: 'mask', task: result.task, classes, picture, result });
    } else {
      const classes = spec.classes.map((name, i) => ({ name, colour: colour(first + i) }));
      next.set(spec.modality, first + classes.length);
      layers.push({ kind: 'boxes', task: result.task, classes, result });
    }
  }
  return layers;
}

function paintMask(width: number, height: number, indices: Uint8Array, classes: LayerClass[]): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const colours = classes.map(({ colour }) => channels(colour));
  for (let i = 0; i < indices.length; i++) {
    const rgb = colours[(indices[i] ?? 0) - 1];
    if (rgb === undefined) continue;
    image.data.set(rgb, 4 * i);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}

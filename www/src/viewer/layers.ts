import { type BoxesResult, maskPixels, type Report, type ReportMask, type TaskSpec } from '@medley/web';
import type { Named } from '../format.js';
import { outline, outlinePath } from './outline.js';
import { channels } from './palette.js';
import type { ClassStyle, Styles } from './style.js';

/** A class with its style, for pictures and legends alike. */
export interface LayerClass extends Named {
  style: ClassStyle;
}

/** What one task puts over the image. */
export type Layer = MaskLayer | BoxesLayer;

/** The boxes of one task. */
export interface BoxesLayer {
  readonly kind: 'boxes';
  readonly task: string;
  readonly classes: readonly LayerClass[];
  readonly result: BoxesResult;
}

/** Size and areas of a mask, without its pixels. */
export type MaskFigures = Pick<ReportMask, 'width' | 'height' | 'pixels' | 'mm2'>;

/** The mask of one task: areas as one picture, outlines as paths. Nothing of it takes memory before it is loaded. */
export class MaskLayer {
  readonly kind = 'mask';
  readonly task: string;
  readonly classes: readonly LayerClass[];
  readonly mask: MaskFigures;
  readonly #unpack: () => Promise<Uint8Array>;
  #pixels: Uint8Array | null = null;
  readonly #outlines = new Map<number, Path2D>();
  #area: HTMLCanvasElement | null = null;
  #painted = '';

  /**
   * @param classes - those after the first, which is the background and has no colour.
   * @param unpack - the class of each pixel, row by row.
   */
  constructor(task: string, mask: MaskFigures, classes: readonly LayerClass[], unpack: () => Promise<Uint8Array>) {
    this.task = task;
    this.mask = mask;
    this.classes = classes;
    this.#unpack = unpack;
  }

  /** Whether it can be drawn. */
  get loaded(): boolean {
    return this.#pixels !== null;
  }

  /** Unpacks the mask; of a large image it takes tens of megabytes. */
  async load(): Promise<void> {
    this.#pixels ??= await this.#unpack();
  }

  /** The areas in their colours, made anew when a style has changed; `null` before it is loaded. */
  area(): HTMLCanvasElement | null {
    if (this.#pixels === null) return null;
    const look = JSON.stringify(this.classes.map(({ style }) => style));
    if (this.#area !== null && this.#painted === look) return this.#area;
    const [indices, { width, height }] = [this.#pixels, this.mask];
    const canvas = this.#area ?? document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const image = new ImageData(width, height);
    const colours = this.classes.map(({ style }) => {
      const alpha = style.fill === 'outline' ? 0 : Math.round(255 * style.opacity);
      return [...channels(style.colour), alpha];
    });
    for (let i = 0; i < indices.length; i++) {
      // Class 0 is the background: it has no colour.
      const rgba = colours[(indices[i] ?? 0) - 1];
      if (rgba !== undefined) image.data.set(rgba, 4 * i);
    }
    canvas.getContext('2d')?.putImageData(image, 0, 0);
    this.#area = canvas;
    this.#painted = look;
    return canvas;
  }

  /** The outline of the n-th class after the background, in pixels of the mask; empty before it is loaded. */
  outline(n: number): Path2D {
    if (this.#pixels === null) return new Path2D();
    const [indices, { width, height }] = [this.#pixels, this.mask];
    const path = this.#outlines.get(n) ?? outlinePath(outline(indices, width, height, n + 1));
    this.#outlines.set(n, path);
    return path;
  }

  /** The class at a pixel of the image; `null` for the background and outside. */
  classAt(x: number, y: number): LayerClass | null {
    if (this.#pixels === null) return null;
    const [indices, { width, height }] = [this.#pixels, this.mask];
    if (x < 0 || y < 0 || x >= width || y >= height) return null;
    const index = indices[Math.floor(y) * width + Math.floor(x)] ?? 0;
    return this.classes[index - 1] ?? null;
  }
}

/**
 * Makes the layers of a report. Colours run on from task to task of one kind of image, so that two
 * tasks shown together are not of one colour.
 */
export function makeLayers(report: Report, tasks: readonly TaskSpec[], styles: Styles): Layer[] {
  const next = new Map<string, number>();
  const layers: Layer[] = [];
  for (const result of report.results) {
    const spec = tasks.find((task) => task.name === result.task);
    if (spec === undefined || result.kind === 'classification') continue;
    const first = next.get(spec.modality) ?? 0;
    const named = result.kind === 'segmentation' ? spec.classes.slice(1) : spec.classes;
    const classes = named.map((name, i) => ({ name, own: false, style: styles.of(result.task, name, first + i) }));
    next.set(spec.modality, first + classes.length);
    layers.push(
      result.kind === 'segmentation'
        ? new MaskLayer(result.task, result.mask, classes, () => maskPixels(result))
        : { kind: 'boxes', task: result.task, classes, result },
    );
  }
  return layers;
}

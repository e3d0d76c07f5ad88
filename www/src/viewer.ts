import type { Preview } from '@medley/web';
import { h } from './dom.js';
import type { Layer } from './layers.js';

/** Beyond this many boxes labels and heavy lines hide more than they tell; the legend names the colours. */
const MAX_LABELS = 12;

/** What is drawn over the image, and how. */
export interface Look {
  layers: readonly Layer[];
  /** Of the masks, 0..1. */
  opacity: number;
  /** Boxes below it are not drawn, 0..1. */
  threshold: number;
}

/** Draws the image with masks and boxes, as sharp as the screen is. */
export class Viewer {
  readonly element = h('canvas', { class: 'picture', role: 'img', 'aria-label': 'No image yet' });
  #picture: HTMLCanvasElement | null = null;
  #size = { width: 1, height: 1 };
  #look: Look = { layers: [], opacity: 0.5, threshold: 0 };

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  /** Shows an image, without anything over it. */
  show(preview: Preview, name: string): void {
    const picture = document.createElement('canvas');
    picture.width = preview.pixels.width;
    picture.height = preview.pixels.height;
    picture.getContext('2d')?.putImageData(preview.pixels, 0, 0);
    this.#picture = picture;
    this.#size = { width: preview.width, height: preview.height };
    this.#look = { ...this.#look, layers: [] };
    this.element.style.setProperty('--ratio', `${preview.width} / ${preview.height}`);
    this.element.style.setProperty('--ratio-number', String(preview.width / preview.height));
    this.element.setAttribute('aria-label', `${name}, ${preview.width} by ${preview.height} pixels`);
    this.#draw();
  }

  /** Changes what lies over the image. */
  look(look: Look): void {
    this.#look = look;
    this.#draw();
  }

  #draw(): void {
    const bounds = this.element.getBoundingClientRect();
    const density = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(bounds.width * density));
    const height = Math.max(1, Math.round(bounds.height * density));
    if (this.element.width !== width || this.element.height !== height) {
      this.element.width = width;
      this.element.height = height;
    }
    const context = this.element.getContext('2d');
    if (context === null || this.#picture === null) return;
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#picture, 0, 0, width, height);
    for (const layer of this.#look.layers) {
      if (layer.kind !== 'mask') continue;
      context.globalAlpha = this.#look.opacity;
      context.drawImage(layer.picture, 0, 0, width, height);
      context.globalAlpha = 1;
    }
    for (const layer of this.#look.layers) {
      if (layer.kind === 'boxes') this.#drawBoxes(context, layer, density);
    }
  }

  #drawBoxes(context: CanvasRenderingContext2D, layer: Layer & { kind: 'boxes' }, density: number): void {
    const sx = this.element.width / this.#size.width;
    const sy = this.element.height / this.#size.height;
    const shown = layer.result.boxes.filter((box) => box.score >= this.#look.threshold);
    context.font = `${12 * density}px system-ui, sans-serif`;
    context.textBaseline = 'middle';
    const crowded = shown.length > MAX_LABELS;
    const line = (crowded ? 1.25 : 2) * density;
    for (const { box, class: name, score } of shown) {
      const colour = layer.classes.find((entry) => entry.name === name)?.colour ?? '#ffffff';
      const [x, y, right, bottom] = [box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy];
      // A dark line under the coloured one keeps it visible on any ground.
      context.lineWidth = 2 * line;
      context.strokeStyle = 'rgb(0 0 0 / 0.55)';
      context.strokeRect(x, y, right - x, bottom - y);
      context.lineWidth = line;
      context.strokeStyle = colour;
      context.strokeRect(x, y, right - x, bottom - y);
      if (crowded) continue;
      const label = `${name} ${Math.round(100 * score)} %`;
      const [wide, high] = [context.measureText(label).width + 8 * density, 17 * density];
      const left = Math.min(Math.max(0, x - density), this.element.width - wide);
      const top = y >= high ? y - high : y;
      context.fillStyle = 'rgb(0 0 0 / 0.72)';
      context.fillRect(left, top, wide, high);
      context.fillStyle = colour;
      context.fillText(label, left + 4 * density, top + high / 2);
    }
  }
}

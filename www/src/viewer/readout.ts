import { h } from '../dom.js';
import { called, figures } from '../format.js';
import { t } from '../language/index.js';
import type { Viewer } from './viewer.js';

/** The line under the image: window, and what lies under the pointer. */
export class Readout {
  readonly element = h('p', { class: 'readout' });
  readonly #window = h('span', { class: 'window-values' });
  readonly #pixel = h('span', { class: 'pixel' });

  constructor() {
    this.element.append(this.#window, this.#pixel);
  }

  /** Says what the window is now. */
  view(viewer: Viewer): void {
    const window = viewer.picture?.window;
    this.#window.textContent =
      window === undefined ? '' : t('viewer.values', { width: figures(window.width), level: figures(window.level) });
  }

  /** Says the values of the pixel at a place of the image, and the classes of the masks there. */
  point(viewer: Viewer, at: { x: number; y: number } | null): void {
    const { picture, look } = viewer;
    const value = at === null ? null : (picture?.valueAt(at.x, at.y) ?? null);
    if (at === null || picture === null || value === null) {
      this.#pixel.textContent = '';
      return;
    }
    const classes = look.layers.flatMap((layer) => {
      const found = layer.kind === 'mask' ? layer.classAt(at.x, at.y) : null;
      return found === null ? [] : [called(found)];
    });
    const parts = [
      `x ${Math.floor(at.x)}  y ${Math.floor(at.y)}`,
      `${picture.grey ? '' : 'RGB '}${picture.scaled ? '≈ ' : ''}${value.map(figures).join(' ')}${picture.unit === null ? '' : ` ${picture.unit}`}`,
      ...classes,
    ];
    this.#pixel.textContent = parts.join('  ·  ');
  }
}

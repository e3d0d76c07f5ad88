import { byId, h } from './dom.js';
import type { Layer } from './layers.js';

/** The model leaves out what is less certain (`DISPLAY_THRESHOLD` in medley-infer). */
const LOWEST_SCORE = 0.45;

/** The sliders and the legend under the image. */
export class Controls {
  readonly #root = byId('controls');
  readonly #opacity: Slider;
  readonly #threshold: Slider;
  readonly #legend = h('ul', { class: 'legend', 'aria-label': 'Legend' });

  constructor(onChange: () => void) {
    this.#opacity = new Slider('opacity', 'Mask opacity', { value: 0.5, lowest: 0 }, onChange);
    this.#threshold = new Slider(
      'threshold',
      'Lowest box score',
      { value: LOWEST_SCORE, lowest: LOWEST_SCORE },
      onChange,
    );
    this.#root.className = 'controls';
    this.#root.append(this.#opacity.element, this.#threshold.element, this.#legend);
    this.show([]);
  }

  /** 0..1. */
  get opacity(): number {
    return this.#opacity.value;
  }

  /** 0..1. */
  get threshold(): number {
    return this.#threshold.value;
  }

  /** Shows what the visible layers need. */
  show(layers: readonly Layer[]): void {
    this.#opacity.element.hidden = !layers.some((layer) => layer.kind === 'mask');
    this.#threshold.element.hidden = !layers.some((layer) => layer.kind === 'boxes');
    this.#legend.replaceChildren(
      ...layers.flatMap((layer) =>
        layer.classes.map(({ name, colour }) => {
          const swatch = h('span', { class: `swatch ${layer.kind}`, 'aria-hidden': 'true' });
          swatch.style.setProperty('--colour', colour);
          return h('li', {}, swatch, name);
        }),
      ),
    );
    this.#root.hidden = layers.length === 0;
  }
}

/** A labelled range up to 100 %, with its value in words. */
class Slider {
  readonly element: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #output: HTMLOutputElement;

  constructor(id: string, label: string, start: { value: number; lowest: number }, onChange: () => void) {
    const [value, min] = [Math.round(100 * start.value), Math.round(100 * start.lowest)];
    this.#input = h('input', { id, type: 'range', min, max: 100, step: 1, value });
    this.#output = h('output', { for: id });
    this.#input.addEventListener('input', () => {
      this.#say();
      onChange();
    });
    this.element = h('div', { class: 'slider' }, h('label', { for: id }, label), this.#input, this.#output);
    this.#say();
  }

  get value(): number {
    return Number(this.#input.value) / 100;
  }

  #say(): void {
    this.#output.textContent = `${this.#input.value} %`;
  }
}

import { h } from '../dom.js';
import { iconButton } from '../icons.js';
import { t } from '../language/index.js';
import type { LayerClass } from '../viewer/layers.js';

/** Diameters to choose from, in pixels of the image: each about half as large again as the one before. */
const SIZES = [1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200] as const;
/** At first the brush is so much of the image's longer side. */
const FIRST_SHARE = 0.03;

export interface BrushBarEvents {
  /** Another class, another size, or the eraser. */
  onChange: () => void;
  onUndo: () => void;
}

/** What the reader paints with: a class, the size of the brush, the eraser; over the image, as it is needed there. */
export class BrushBar {
  readonly element: HTMLElement;
  readonly #events: BrushBarEvents;
  readonly #classes = h('div', { class: 'brush-classes', role: 'radiogroup', tLabel: 'brush.classes' });
  readonly #size = h('input', { type: 'range', id: 'brush-size', min: 0, max: SIZES.length - 1, step: 1, tLabel: 'brush.size' });
  readonly #sizeText = h('output', { for: 'brush-size', class: 'brush-size' });
  readonly #eraser: HTMLButtonElement;
  readonly #undo: HTMLButtonElement;
  #offered = '';
  #chosen: string | null = null;
  #erasing = false;
  /** Whether the size is the reader's own choice. */
  #sized = false;

  constructor(events: BrushBarEvents) {
    this.#events = events;
    this.#eraser = iconButton('eraser', 'brush.erase', () => this.#choose(this.#chosen, !this.#erasing), { id: 'brush-erase' });
    this.#undo = iconButton('undo', 'brush.undo', events.onUndo, { id: 'brush-undo' });
    this.#size.addEventListener('input', () => {
      this.#sized = true;
      this.#say();
      events.onChange();
    });
    this.element = h(
      'div',
      { class: 'brush-bar', id: 'brush', role: 'group', tLabel: 'brush.title' },
      this.#classes,
      h('div', { class: 'brush-tools' }, this.#size, this.#sizeText, this.#eraser, this.#undo),
    );
    this.element.hidden = true;
  }

  /** The class to paint. */
  get chosen(): string | null {
    return this.#chosen;
  }

  get erasing(): boolean {
    return this.#erasing;
  }

  /** In pixels of the image. */
  get diameter(): number {
    return SIZES[Number(this.#size.value)] ?? SIZES[0];
  }

  /** A larger brush (1) or a smaller one (-1). */
  resize(step: number): void {
    this.#size.value = String(Number(this.#size.value) + step);
    this.#sized = true;
    this.#say();
    this.#events.onChange();
  }

  /** Until the reader chooses one, the size of the brush fits an image. */
  fit(longerSide: number): void {
    if (this.#sized) return;
    const wanted = longerSide * FIRST_SHARE;
    const best = SIZES.reduce((best, size, i) => (Math.abs(size - wanted) < Math.abs((SIZES[best] ?? 0) - wanted) ? i : best), 0);
    this.#size.value = String(best);
    this.#say();
  }

  /** Offers classes in their colours; none: nothing is painted. */
  show(classes: readonly LayerClass[], canUndo: boolean): void {
    this.element.hidden = classes.length === 0;
    this.#undo.disabled = !canUndo;
    if (!classes.some(({ name }) => name === this.#chosen)) {
      // What is looked for comes before what is around it.
      this.#chosen = (classes[1] ?? classes[0])?.name ?? null;
      this.#erasing = false;
      this.#sized = false;
    }
    const offered = JSON.stringify(classes);
    if (offered !== this.#offered) {
      this.#offered = offered;
      this.#classes.replaceChildren(...classes.map((entry) => this.#option(entry)));
    }
    this.#say();
  }

  /** Makes the texts anew, in the current language. */
  refresh(): void {
    this.#say();
  }

  #option({ name, style }: LayerClass): HTMLElement {
    const input = h('input', { type: 'radio', name: 'brush-class', value: name });
    input.addEventListener('change', () => this.#choose(name, false));
    const dot = h('span', { class: 'brush-dot', 'aria-hidden': 'true' });
    dot.style.setProperty('--colour', style.colour);
    return h('label', { class: 'brush-class' }, input, h('span', {}, dot, name));
  }

  #choose(name: string | null, erasing: boolean): void {
    this.#chosen = name;
    this.#erasing = erasing;
    this.#say();
    this.#events.onChange();
  }

  #say(): void {
    this.#eraser.setAttribute('aria-pressed', String(this.#erasing));
    for (const input of this.#classes.querySelectorAll('input')) input.checked = !this.#erasing && input.value === this.#chosen;
    const text = t('brush.pixels', { n: this.diameter });
    this.#sizeText.textContent = text;
    this.#size.setAttribute('aria-valuetext', text);
  }
}

import { h } from '../dom.js';
import { icon, iconButton } from '../icons.js';
import { t } from '../language/index.js';

/** Slices a second; fewer for those who asked for less motion, and none before they press the button. */
const RATE = 10;
const CALM_RATE = 2;

export interface SliceBarEvents {
  /** The reader goes to a slice; resolves when it is shown. */
  onSlice: (at: number) => Promise<void>;
}

/** Goes through the slices of a series: a slider, steps, and a cine. */
export class SliceBar {
  readonly element: HTMLElement;
  readonly #events: SliceBarEvents;
  readonly #play: HTMLButtonElement;
  readonly #slider = h('input', { type: 'range', min: 1, value: 1, step: 1, id: 'slice', tLabel: 'slices.slider' });
  readonly #number = h('output', { for: 'slice', class: 'slice-number' });
  readonly #answered = h('span', { class: 'hint', id: 'slices-answered' });
  #at = 0;
  #count = 0;
  #playing = false;

  constructor(events: SliceBarEvents) {
    this.#events = events;
    this.#play = iconButton('play', 'slices.play', () => this.#toggle(), { id: 'cine', 'aria-pressed': 'false' });
    this.#slider.addEventListener('input', () => {
      this.stop();
      void this.#go(Number(this.#slider.value) - 1);
    });
    this.element = h(
      'div',
      { class: 'slices', id: 'slices', role: 'group', tLabel: 'slices.title' },
      this.#play,
      iconButton('back', 'slices.back', () => this.step(-1)),
      this.#slider,
      iconButton('on', 'slices.on', () => this.step(1)),
      this.#number,
      this.#answered,
    );
    this.element.hidden = true;
  }

  /** Says where the stage is; hidden where there is nothing to go through. */
  show(at: number, count: number, answered: number | null): void {
    if (count !== this.#count) this.stop();
    this.#at = at;
    this.#count = count;
    this.element.hidden = count < 2;
    this.#slider.max = String(Math.max(count, 1));
    this.#slider.value = String(at + 1);
    this.#slider.setAttribute('aria-valuetext', t('slices.of', { n: at + 1, all: count }));
    this.#number.textContent = `${at + 1} / ${count}`;
    this.#answered.textContent = answered === null || answered === count ? '' : t('slices.answered', { n: answered, all: count });
  }

  hide(): void {
    this.stop();
    this.element.hidden = true;
    this.#count = 0;
  }

  /** Goes on or back; whether there are slices. */
  step(step: number): boolean {
    if (this.#count < 2) return false;
    this.stop();
    if (step !== 0) void this.#go(this.#at + step);
    return true;
  }

  stop(): void {
    this.#playing = false;
    this.#say();
  }

  #go(at: number): Promise<void> {
    return this.#events.onSlice(Math.min(Math.max(at, 0), this.#count - 1));
  }

  #toggle(): void {
    this.#playing = !this.#playing;
    this.#say();
    if (this.#playing) void this.#run();
  }

  async #run(): Promise<void> {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    while (this.#playing) {
      const pause = new Promise((resolve) => setTimeout(resolve, 1000 / (calm ? CALM_RATE : RATE)));
      // A slice that takes longer to decode is waited for, not left out.
      await Promise.all([this.#go((this.#at + 1) % this.#count), pause]);
      if (document.hidden) this.stop();
    }
  }

  #say(): void {
    const label = t(this.#playing ? 'slices.pause' : 'slices.play');
    this.#play.setAttribute('aria-pressed', String(this.#playing));
    this.#play.setAttribute('aria-label', label);
    this.#play.dataset['tLabel'] = this.#playing ? 'slices.pause' : 'slices.play';
    this.#play.dataset['tTitle'] = this.#play.dataset['tLabel'];
    this.#play.title = label;
    this.#play.replaceChildren(icon(this.#playing ? 'pause' : 'play'));
  }
}

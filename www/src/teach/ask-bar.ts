import { button, h } from '../dom.js';
import { t } from '../language/index.js';
import type { Asking } from './asking.js';

export interface AskBarEvents {
  onAskAll: () => void;
  onCancel: () => void;
}

/** Asks every image of the list, says how far that is, and stops it. It stays the same element, whatever is made anew around it. */
export class AskBar {
  readonly element: HTMLElement;
  readonly #ask: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  readonly #bar = h('progress', { max: 1, value: 0, tLabel: 'teach.askAll' });
  /** No status that is read out: the list has one. */
  readonly #state = h('span', { class: 'hint', id: 'teach-asked' });
  readonly #running: HTMLElement;

  constructor(events: AskBarEvents) {
    this.#ask = button('teach.askAll', events.onAskAll, { class: 'quiet', id: 'teach-ask-all' });
    const cancel = (): void => {
      events.onCancel();
      // The focus must not fall off the page with the button that had it.
      this.#ask.focus();
    };
    this.#cancel = button('cancel', cancel, { class: 'quiet', id: 'teach-ask-cancel' });
    this.#running = h('div', { class: 'asking' }, this.#bar, h('div', { class: 'actions' }, this.#state, this.#cancel));
    this.element = h('div', { class: 'ask-bar' }, h('div', { class: 'actions' }, this.#ask), this.#running);
  }

  /** @param busy - whether the head is about to learn something else. */
  render({ progress, ready }: Asking, busy: boolean): void {
    this.#ask.disabled = busy || !ready || progress !== null;
    // One image alone is soon answered, and its row says how.
    this.#running.hidden = progress === null || progress.all < 2;
    if (progress === null) return;
    this.#bar.max = progress.all;
    this.#bar.value = progress.done;
    const text = t('teach.asked', { n: progress.done, all: progress.all });
    if (this.#state.textContent !== text) this.#state.textContent = text;
  }
}

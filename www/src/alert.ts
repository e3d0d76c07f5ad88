import { button, byId, h } from './dom.js';
import { describe } from './errors.js';
import { saidNodes } from './said.js';

/** The one place for failures; read out by screen readers when it fills. */
export class Alert {
  readonly #root = byId('alert');
  #last: string | null = null;

  /** The words of the last failure, for a bug report. */
  get last(): string | null {
    return this.#last;
  }

  show(error: unknown): void {
    const { title, advice, detail } = describe(error);
    // A bug report is in English, whatever its writer reads.
    this.#last = error instanceof Error ? error.message : String(error);
    this.#fill('error', h('p', { class: 'alert-title' }, title), h('p', {}, advice), h('p', { class: 'alert-detail', lang: detail.lang }, ...saidNodes(detail)));
  }

  /** Something to know that is no failure. */
  note(title: string, advice: string): void {
    this.#fill('note', h('p', { class: 'alert-title' }, title), h('p', {}, advice));
  }

  clear(): void {
    this.#root.replaceChildren();
  }

  /** Removes a failure; a note stays. */
  clearError(): void {
    if (this.#root.querySelector('.error') !== null) this.clear();
  }

  #fill(sort: 'error' | 'note', ...content: HTMLElement[]): void {
    const close = button('close', () => this.clear(), { class: 'quiet' });
    this.#root.replaceChildren(h('div', { class: `alert ${sort}` }, ...content, close));
  }
}

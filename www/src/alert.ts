import { button, byId, h } from './dom.js';
import { describe } from './messages.js';

/** The one place for failures; read out by screen readers when it fills. */
export class Alert {
  readonly #root = byId('alert');

  show(error: unknown): void {
    const { title, advice, detail } = describe(error);
    this.#root.replaceChildren(
      h(
        'div',
        { class: 'alert' },
        h('p', { class: 'alert-title' }, title),
        h('p', {}, advice),
        h('p', { class: 'alert-detail' }, detail),
        button('Close', () => this.clear(), { class: 'quiet' }),
      ),
    );
  }

  clear(): void {
    this.#root.replaceChildren();
  }
}

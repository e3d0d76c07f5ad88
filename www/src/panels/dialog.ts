import { h } from '../dom.js';
import { iconButton } from '../icons.js';
import type { Key } from '../language/index.js';

/** A panel over the page. Its content is made each time it is opened. */
export class Dialog {
  readonly element: HTMLDialogElement;
  readonly #body = h('div', { class: 'dialog-body' });
  readonly #fill: () => Node[];

  constructor(id: string, title: Key, fill: () => Node[]) {
    this.#fill = fill;
    this.element = h(
      'dialog',
      { id, 'aria-labelledby': `${id}-title` },
      h('header', {}, h('h2', { id: `${id}-title`, t: title }), iconButton('close', 'close', () => this.element.close())),
      this.#body,
    );
    // A click beside the panel closes it; clicks in it are never on the dialog itself.
    this.element.addEventListener('click', (event) => {
      if (event.target === this.element) this.element.close();
    });
    document.body.append(this.element);
  }

  open(): void {
    this.refresh();
    this.element.showModal();
    this.#body.scrollTop = 0;
  }

  /** Makes the content anew. */
  refresh(): void {
    this.#body.replaceChildren(...this.#fill());
  }
}

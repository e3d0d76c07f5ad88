import type { MedleyError } from '../errors.js';
import { NOTICE } from '../notice.js';
import { h } from './dom.js';
import type { ViewerMessages } from './messages.js';
import { styles } from './styles.js';

/** What the reader does. */
export interface ViewHandlers {
  onFile: (file: File) => void;
  onCancel: () => void;
}

/** What is in the element's shadow root. */
export class View {
  readonly canvas: HTMLCanvasElement;
  readonly #stage: HTMLElement;
  readonly #drop: HTMLElement;
  readonly #picker = h('input', { type: 'file', accept: 'image/png,image/jpeg', hidden: true });
  readonly #status = h('p', { class: 'status', part: 'status', role: 'status' });
  readonly #progress = h('progress', { max: 1, value: 0, part: 'progress' });
  readonly #another: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  readonly #error = h('div', { class: 'error', part: 'error', role: 'alert', hidden: true });
  readonly #answers = h('div');
  readonly #messages: ViewerMessages;

  constructor(root: ShadowRoot, messages: ViewerMessages, handlers: ViewHandlers) {
    this.#messages = messages;
    root.adoptedStyleSheets = [styles()];
    const choose = (label: string, look: string): HTMLButtonElement => {
      const button = h('button', { type: 'button', class: look, part: 'button' }, label);
      button.addEventListener('click', () => this.#picker.click());
      return button;
    };
    this.canvas = h('canvas', { part: 'canvas', role: 'img', 'aria-label': messages.image, hidden: true });
    this.#drop = h('div', { class: 'drop', part: 'drop' }, h('span', {}, messages.drop), choose(messages.choose, 'primary'));
    this.#another = choose(messages.another, '');
    this.#another.hidden = true;
    this.#cancel = h('button', { type: 'button', part: 'button', hidden: true }, messages.cancel);
    this.#cancel.addEventListener('click', handlers.onCancel);
    this.#progress.hidden = true;
    this.#progress.setAttribute('aria-label', messages.loading);
    this.#stage = h('div', { class: 'stage', part: 'stage' }, this.#picker, this.#drop, this.canvas);
    root.replaceChildren(
      this.#stage,
      h('div', { class: 'line' }, this.#status, this.#cancel, this.#another),
      this.#progress,
      this.#error,
      this.#answers,
      h('p', { class: 'notice', part: 'notice' }, NOTICE),
    );
    this.#picker.addEventListener('change', () => {
      const file = this.#picker.files?.[0];
      // The same file chosen again shall be a change again.
      this.#picker.value = '';
      if (file !== undefined) handlers.onFile(file);
    });
  }

  /** Whether something is being dragged over it. */
  over(dragged: boolean): void {
    this.#stage.classList.toggle('over', dragged);
  }

  /** Says what goes on; a screen reader reads it out when it changes. */
  status(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  /** 0..1 while something runs that can be cancelled, `null` when nothing does. */
  running(fraction: number | null): void {
    const focused = this.#cancel.matches(':focus');
    this.#progress.hidden = fraction === null;
    this.#cancel.hidden = fraction === null;
    if (fraction === null) {
      // The focus must not fall out of the element with the button that had it.
      if (focused) (this.#another.hidden ? this.#drop.querySelector('button') : this.#another)?.focus();
    } else {
      this.#progress.value = fraction;
    }
  }

  /** Shows the image in place of the invitation to give one. */
  showImage(shown: boolean): void {
    this.canvas.hidden = !shown;
    this.#another.hidden = !shown;
    this.#drop.hidden = shown;
  }

  answers(list: HTMLElement | null): void {
    this.#answers.replaceChildren(...(list === null ? [] : [list]));
  }

  error(error: MedleyError | null): void {
    this.#error.hidden = error === null;
    this.#error.replaceChildren(
      ...(error === null ? [] : [h('p', {}, h('strong', {}, this.#messages.failure)), h('p', {}, this.#messages.explain(error))]),
    );
  }
}

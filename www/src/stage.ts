import type { Preview } from '@medley/web';
import { button, byId, h } from './dom.js';
import { takeFiles } from './intake.js';
import { Viewer } from './viewer.js';

/** Where the image comes in and is seen. */
export class Stage {
  readonly viewer = new Viewer();
  readonly #root = byId('stage');
  readonly #picker = h('input', { type: 'file', accept: 'image/png,image/jpeg', id: 'picker', class: 'visually-hidden' });
  readonly #empty: HTMLElement;
  readonly #shown: HTMLElement;
  readonly #caption = h('p', { class: 'caption' });
  readonly #busyText = h('span', {}, '');
  readonly #busy: HTMLElement;
  readonly #save = h('a', { class: 'button quiet' }, 'Save picture');
  #savedUrl: string | null = null;

  constructor(events: { onFile: (file: File) => void; onCancel: () => void }) {
    this.#empty = h(
      'label',
      { class: 'dropzone', for: 'picker' },
      h('span', { class: 'dropzone-title' }, 'Drop an image here, paste one, or choose a file'),
      h('span', { class: 'button primary', 'aria-hidden': 'true' }, 'Choose an image'),
      h('span', { class: 'hint' }, 'PNG or JPEG, 8 or 16 bit. It stays on this device.'),
    );
    const another = h('label', { class: 'button quiet', for: 'picker' }, 'Another image');
    this.#busy = h(
      'div',
      { class: 'busy', role: 'status' },
      h('span', { class: 'spinner', 'aria-hidden': 'true' }),
      this.#busyText,
      button('Cancel', events.onCancel, { class: 'quiet', id: 'cancel-analysis' }),
    );
    this.#shown = h(
      'div',
      { class: 'shown' },
      h('div', { class: 'frame' }, this.viewer.element),
      h('div', { class: 'below' }, this.#caption, this.#save, another),
    );
    this.#root.append(this.#picker, this.#empty, this.#shown, this.#busy);
    this.#shown.hidden = true;
    this.#busy.hidden = true;
    this.#save.hidden = true;
    takeFiles(this.#root, this.#picker, events.onFile);
  }

  show(preview: Preview, file: File, isSample: boolean): void {
    this.viewer.show(preview, file.name);
    this.#caption.textContent = `${file.name || 'pasted image'} · ${preview.width} × ${preview.height} pixels`;
    this.#empty.hidden = true;
    this.#shown.hidden = false;
    // On a small screen the samples are further down than the image.
    this.#root.scrollIntoView({ block: 'nearest' });
    if (this.#savedUrl !== null) URL.revokeObjectURL(this.#savedUrl);
    this.#savedUrl = null;
    // Only what the page itself has drawn: the user has the other files already.
    this.#save.hidden = !isSample;
    if (isSample) {
      this.#savedUrl = URL.createObjectURL(file);
      this.#save.href = this.#savedUrl;
      this.#save.download = file.name;
    }
  }

  /** Back to the empty stage: no image is shown that the answers are not about. */
  clear(): void {
    this.#empty.hidden = false;
    this.#shown.hidden = true;
  }

  /** Says what is being waited for; `null` when nothing is. */
  busy(text: string | null): void {
    this.#busy.hidden = text === null;
    this.#busyText.textContent = text ?? '';
    this.#root.setAttribute('aria-busy', String(text !== null));
  }
}

import { byId, h } from './dom.js';
import { sentence, term } from './format.js';
import { t } from './language/index.js';
import { SAMPLES, type Sample } from './samples/index.js';

/** The samples; each can be chosen as soon as it is drawn. */
export class SampleStrip {
  readonly #onChoose: (file: File, sample: Sample) => void;
  #drawing = false;
  readonly #entries = new Map<string, { sample: Sample; picture: HTMLImageElement; kind: HTMLElement; choose: HTMLButtonElement }>();

  constructor(onChoose: (file: File, sample: Sample) => void) {
    this.#onChoose = onChoose;
    const list = byId('samples');
    for (const sample of SAMPLES) {
      const picture = h('img', { alt: '', width: 96, height: 72 });
      const kind = h('span', { class: 'hint' });
      const choose = h(
        'button',
        { type: 'button', class: 'sample', disabled: true, 'data-sample': sample.id },
        picture,
        h('span', { class: 'sample-title', t: sample.title }),
        kind,
      );
      list.append(h('li', {}, choose));
      this.#entries.set(sample.id, { sample, picture, kind, choose });
    }
    this.refresh();
  }

  /** Makes the texts anew, in the current language. */
  refresh(): void {
    for (const { sample, kind } of this.#entries.values()) kind.textContent = sentence(term(sample.modality));
    byId('samples').setAttribute('aria-label', t('samples.title'));
  }

  /** Draws them, once. */
  draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    const worker = new Worker(new URL('./samples/worker.ts', import.meta.url), { type: 'module' });
    let waiting = this.#entries.size;
    worker.addEventListener('message', ({ data }: MessageEvent<{ id: string; file: File }>) => {
      const entry = this.#entries.get(data.id);
      if (entry === undefined) return;
      entry.picture.src = URL.createObjectURL(data.file);
      entry.choose.disabled = false;
      entry.choose.addEventListener('click', () => this.#onChoose(data.file, entry.sample));
      waiting -= 1;
      if (waiting === 0) worker.terminate();
    });
  }
}

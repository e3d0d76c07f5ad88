import { byId, h } from './dom.js';
import { SAMPLES, type Sample } from './samples/index.js';

/** The row of samples; each can be chosen as soon as it is drawn. */
export function sampleStrip(onChoose: (file: File, sample: Sample) => void): void {
  const list = byId('samples');
  const entries = new Map(
    SAMPLES.map((sample) => {
      const picture = h('img', { alt: '', width: 96, height: 72 });
      const choose = h(
        'button',
        { type: 'button', class: 'sample', disabled: true, 'data-sample': sample.id },
        picture,
        h('span', { class: 'sample-title' }, sample.title),
        h('span', { class: 'hint' }, sample.modality),
      );
      list.append(h('li', {}, choose));
      return [sample.id, { sample, picture, choose }];
    }),
  );
  const worker = new Worker(new URL('./samples/worker.ts', import.meta.url), { type: 'module' });
  let waiting = entries.size;
  worker.addEventListener('message', ({ data }: MessageEvent<{ id: string; file: File }>) => {
    const entry = entries.get(data.id);
    if (entry === undefined) return;
    entry.picture.src = URL.createObjectURL(data.file);
    entry.choose.disabled = false;
    entry.choose.addEventListener('click', () => onChoose(data.file, entry.sample));
    waiting -= 1;
    if (waiting === 0) worker.terminate();
  });
}

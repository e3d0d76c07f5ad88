import type { Backend, DeviceChoice, Metadata, Progress, ProgressPhase } from '@medley/web';
import { button, byId, h } from '../dom.js';
import { bytes } from '../format.js';
import { inWords } from '../language/details.js';
import { type Key, t } from '../language/index.js';
import { saidNodes } from '../said.js';

const CHOICES: readonly [DeviceChoice, Key][] = [
  ['auto', 'model.auto'],
  ['webgpu', 'model.webgpu'],
  ['wasm', 'model.wasm'],
];

/** What each phase of loading is called. */
const PHASES: Readonly<Record<ProgressPhase, Key>> = {
  download: 'phase.download',
  verify: 'phase.verify',
  compile: 'phase.compile',
  upload: 'phase.upload',
  'self-test': 'phase.self-test',
  'warm-up': 'phase.warm-up',
};

/** Says how the model is: on its way, ready (and on what it runs), or not there. */
export class ModelPanel {
  readonly #root = byId('model');
  readonly #state = h('p', { class: 'state', role: 'status' });
  readonly #bar = h('progress', { max: 1, value: 0, tLabel: 'model.loading' });
  readonly #bytes = h('p', { class: 'hint bytes' });
  readonly #reason = h('p', { class: 'hint', id: 'backend-reason' });
  readonly #actions = h('div', { class: 'actions' });
  readonly #choice = h('select', { id: 'device' });
  readonly #events: { onLoad: () => void; onCancel: () => void };
  #phase: Key | null = null;
  #say: () => void = () => {};

  constructor(device: DeviceChoice, events: { onLoad: () => void; onCancel: () => void }) {
    this.#events = events;
    this.#choice.append(
      ...CHOICES.map(([value, label]) => h('option', { value, selected: value === device, t: label })),
    );
    this.#choice.addEventListener('change', events.onLoad);
    const choice = h('div', { class: 'field' }, h('label', { for: 'device', t: 'model.runsOn' }), this.#choice);
    this.#root.append(
      h('div', { class: 'row' }, h('h2', { id: 'model-title', t: 'model.title' }), choice),
      this.#state,
      this.#bar,
      this.#bytes,
      this.#reason,
      this.#actions,
    );
  }

  /** What the user wants it to run on. */
  get device(): DeviceChoice {
    return this.#choice.value as DeviceChoice;
  }

  /** Whether the model is on its way. */
  get waiting(): boolean {
    return this.#root.dataset['state'] === 'loading';
  }

  /** Makes all texts anew, in the current language. */
  refresh(): void {
    this.#say();
  }

  loading(): void {
    this.#start();
    this.#actions.replaceChildren(button('cancel', this.#events.onCancel, { id: 'cancel-loading', class: 'quiet' }));
  }

  progress(progress: Progress): void {
    // It may start anew by itself in the middle of work.
    if (!this.waiting) this.#start();
    this.#bar.value = progress.fraction;
    const phase = PHASES[progress.phase];
    // Written only when it changes: a screen reader reads each change out.
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#say();
    }
    const { loaded, total } = progress;
    this.#bytes.textContent =
      total > 0 ? t('model.bytes', { loaded: bytes(loaded), total: bytes(Math.max(total, loaded)) }) : '';
  }

  ready(metadata: Metadata, backend: Backend): void {
    this.#set('ready', () => {
      const adapter = backend.adapter === null ? '' : ` (${backend.adapter})`;
      const runs = backend.kind === 'webgpu' ? `WebGPU${adapter}` : 'WebAssembly';
      this.#state.textContent = t('model.ready', { name: metadata.name, runs });
      const said = inWords(backend.reason, backend.reasons);
      this.#reason.replaceChildren(...saidNodes(said), '.');
      this.#reason.lang = said.lang;
    });
    this.#root.dataset['backend'] = backend.kind;
  }

  missing(text: 'model.cancelled' | 'model.missing'): void {
    this.#set('missing', () => {
      this.#state.textContent = t(text);
    });
    this.#actions.replaceChildren(button('model.load', this.#events.onLoad, { id: 'load', class: 'primary' }));
  }

  #start(): void {
    this.#phase = null;
    this.#set('loading', () => {
      this.#state.textContent = t(this.#phase ?? 'model.starting');
    });
    this.#bar.hidden = false;
    this.#bar.value = 0;
  }

  #set(state: 'loading' | 'ready' | 'missing', say: () => void): void {
    this.#root.dataset['state'] = state;
    delete this.#root.dataset['backend'];
    this.#bar.hidden = true;
    this.#bytes.textContent = '';
    this.#reason.textContent = '';
    this.#actions.replaceChildren();
    this.#say = say;
    say();
  }
}

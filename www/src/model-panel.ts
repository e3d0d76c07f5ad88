import type { Backend, DeviceChoice, Metadata, Progress, ProgressPhase } from '@medley/web';
import { button, byId, h } from './dom.js';
import { megabytes } from './format.js';

const PHASES: Readonly<Record<ProgressPhase, string>> = {
  download: 'Downloading',
  verify: 'Checking the weights',
  compile: 'Compiling',
  upload: 'Preparing the model',
  'self-test': 'Testing itself',
  'warm-up': 'Warming up',
};

const CHOICES: readonly [DeviceChoice, string][] = [
  ['auto', 'Automatic'],
  ['webgpu', 'WebGPU'],
  ['wasm', 'WebAssembly'],
];

/** Says how the model is: on its way, ready (and on what it runs), or not there. */
export class ModelPanel {
  readonly #root = byId('model');
  readonly #title = h('h2', { id: 'model-title' }, 'Model');
  readonly #state = h('p', { class: 'state', role: 'status' });
  readonly #bar = h('progress', { max: 1, value: 0, 'aria-label': 'Loading the model' });
  readonly #bytes = h('p', { class: 'hint bytes' });
  readonly #reason = h('p', { class: 'hint', id: 'backend-reason' });
  readonly #actions = h('div', { class: 'actions' });
  readonly #choice = h('select', { id: 'device' });
  readonly #events: { onLoad: () => void; onCancel: () => void };
  #phase: ProgressPhase | null = null;

  constructor(device: DeviceChoice, events: { onLoad: () => void; onCancel: () => void }) {
    this.#events = events;
    this.#choice.append(
      ...CHOICES.map(([value, label]) => h('option', { value, selected: value === device }, label)),
    );
    this.#choice.addEventListener('change', events.onLoad);
    const choice = h('div', { class: 'field' }, h('label', { for: 'device' }, 'Runs on'), this.#choice);
    this.#root.append(
      h('div', { class: 'row' }, this.#title, choice),
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

  loading(): void {
    this.#set('loading', 'Starting');
    this.#bar.hidden = false;
    this.#bar.value = 0;
    this.#phase = null;
    this.#actions.replaceChildren(button('Cancel', this.#events.onCancel, { id: 'cancel-loading', class: 'quiet' }));
  }

  progress(progress: Progress): void {
    this.#bar.value = progress.fraction;
    // Written only when it changes: a screen reader reads each change out.
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#state.textContent = PHASES[progress.phase];
    }
    this.#bytes.textContent =
      progress.total > 0 ? `${megabytes(progress.loaded)} of ${megabytes(Math.max(progress.total, progress.loaded))}` : '';
  }

  ready(metadata: Metadata, backend: Backend): void {
    const runs = backend.kind === 'webgpu' ? `WebGPU${backend.adapter === null ? '' : ` (${backend.adapter})`}` : 'WebAssembly';
    this.#set('ready', `${metadata.name} is ready and runs on ${runs}`);
    this.#reason.textContent = `Why: ${backend.reason}.`;
    this.#root.dataset['backend'] = backend.kind;
  }

  missing(text: string): void {
    this.#set('missing', text);
    this.#actions.replaceChildren(button('Load the model', this.#events.onLoad, { id: 'load', class: 'primary' }));
  }

  #set(state: 'loading' | 'ready' | 'missing', text: string): void {
    this.#root.dataset['state'] = state;
    delete this.#root.dataset['backend'];
    this.#state.textContent = text;
    this.#bar.hidden = true;
    this.#bytes.textContent = '';
    this.#reason.textContent = '';
    this.#actions.replaceChildren();
  }
}

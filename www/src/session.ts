import { type DeviceChoice, loadModel, type Model } from '@medley/web';
import { ModelPanel } from './panels/model-panel.js';

/** Where the shipped model lies, beside the page. */
const MODEL_URL = './models/medley-nano/';

/** How the page is opened: `?device=wasm`, `?software-gpu`. */
export interface SessionOptions {
  device: DeviceChoice;
  acceptFallbackAdapter: boolean;
}

export interface SessionEvents {
  /** The model that was there is gone. */
  onGone: () => void;
  onReady: (model: Model) => void;
  /** It did not come, or has trouble; `error` is `null` when the reader cancelled. */
  onMissing: (error: unknown) => void;
}

/** The model of this visit: loaded, cancelled, loaded anew. */
export class Session {
  readonly panel: ModelPanel;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  #model: Model | null = null;
  #loading: AbortController | null = null;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.panel = new ModelPanel(options.device, {
      onLoad: () => void this.load(),
      onCancel: () => this.#loading?.abort(),
    });
  }

  get model(): Model | null {
    return this.#model;
  }

  /** Whether the model is on its way. */
  get waiting(): boolean {
    return this.panel.waiting;
  }

  /** Loads the model anew on what the panel says. */
  async load(): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#model?.dispose();
    this.#model = null;
    this.panel.loading();
    this.#events.onGone();
    try {
      const model = await loadModel(MODEL_URL, {
        device: this.panel.device,
        acceptFallbackAdapter: this.#options.acceptFallbackAdapter,
        onProgress: (progress) => {
          if (!loading.signal.aborted) this.panel.progress(progress);
        },
        signal: loading.signal,
      });
      this.#model = model;
      this.#listen(model);
      this.panel.ready(model.metadata, model.backend);
      this.#events.onReady(model);
    } catch (error) {
      if (this.#loading !== loading) return;
      this.panel.missing(loading.signal.aborted ? 'model.cancelled' : 'model.missing');
      this.#events.onMissing(loading.signal.aborted ? null : error);
    }
  }

  /** A model whose worker or GPU is lost starts anew by itself, or is given up. */
  #listen(model: Model): void {
    model.on('progress', (progress) => this.panel.progress(progress));
    model.on('backendchange', () => this.panel.ready(model.metadata, model.backend));
    model.on('error', (error) => {
      if (!model.usable && this.#model === model) {
        this.#model = null;
        this.panel.missing('model.missing');
        this.#events.onGone();
      }
      this.#events.onMissing(error);
    });
  }
}

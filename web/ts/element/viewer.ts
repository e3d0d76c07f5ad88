import { isAbort } from '../cancel.js';
import type { DeviceChoice } from '../device.js';
import type { BackendChange } from '../engine.js';
import { fromErrorData, MedleyError, toErrorData } from '../errors.js';
import type { ImageInput } from '../images.js';
import type { Model, Preview } from '../model.js';
import type { AssetUrls, LoadOptions } from '../options.js';
import type { Progress } from '../progress.js';
import type { Analysis } from '../types.js';
import { answerList } from './answers.js';
import { ENGLISH, type ViewerMessages } from './messages.js';
import { draw } from './overlay.js';
import { View } from './view.js';

/** The events of a viewer, by what is in their `detail`. */
export interface ViewerEvents {
  /** The model is being loaded, or loaded anew. */
  progress: Progress;
  /** The model can be asked. */
  ready: Model;
  /** An image was answered. */
  result: Analysis;
  /** Something failed; the element shows it too. */
  error: MedleyError;
  /** Another backend runs the model. */
  backendchange: BackendChange;
}

/** How a viewer gets its model; each entry of the package has its own. */
export type Loader = (url: string, options: LoadOptions) => Promise<Model>;

/** What can be set from outside before the element loads its model. */
const OBSERVED = ['src', 'tasks', 'device'] as const;

/**
 * The class of `<medley-viewer>`: a place for an image, the model's answers beside it.
 *
 * ```html
 * <medley-viewer src="/models/medley-nano/" tasks="lungs pneumonia-children"></medley-viewer>
 * ```
 *
 * Attributes, and properties of the same names: `src`, the model's folder; `tasks`, names with spaces
 * between them (default: all); `device`, `auto`, `webgpu` or `wasm`. Parts for `::part()`: `stage`,
 * `drop`, `canvas`, `status`, `progress`, `button`, `error`, `results`, `result`, `task`, `bar`,
 * `notice`. Custom properties: `--medley-accent`, `--medley-on-accent`, `--medley-background`,
 * `--medley-text`, `--medley-border`, `--medley-radius`, `--medley-font`.
 */
export class MedleyViewer extends HTMLElement {
  /** @internal Which attributes the browser tells of. */
  static readonly observedAttributes: readonly string[] = OBSERVED;
  /** Set by the entry that defines the element. */
  static loader: Loader | null = null;

  /** Where the package's own files are, if not beside its scripts; to be set before `src`. */
  urls: AssetUrls | undefined;
  /** Words of another language, those for errors and names included; to be set before the element is put into the page. */
  messages: Partial<ViewerMessages> = {};

  #view: View | null = null;
  #model: Model | null = null;
  #loading: AbortController | null = null;
  #running: AbortController | null = null;
  #waiting: ImageInput | null = null;
  #image: ImageInput | null = null;
  #preview: Preview | null = null;
  #analysis: Analysis | null = null;
  #shown = new Set<string>();

  /** The model's folder. */
  get src(): string {
    return this.getAttribute('src') ?? '';
  }

  /** Loads the model of another folder. */
  set src(value: string) {
    this.setAttribute('src', value);
  }

  /** The tasks that are asked; empty means all. */
  get tasks(): string[] {
    return (this.getAttribute('tasks') ?? '').split(/[\s,]+/).filter((name) => name !== '');
  }

  /** Asks the image that is shown again. */
  set tasks(names: readonly string[]) {
    this.setAttribute('tasks', names.join(' '));
  }

  /** What runs the model. */
  get device(): DeviceChoice {
    const value = this.getAttribute('device');
    return value === 'webgpu' || value === 'wasm' ? value : 'auto';
  }

  /** Loads the model anew. */
  set device(value: DeviceChoice) {
    this.setAttribute('device', value);
  }

  /** The model, once it is there. */
  get model(): Model | null {
    return this.#model;
  }

  /** The answers to the image that is shown, once they are there. */
  get analysis(): Analysis | null {
    return this.#analysis;
  }

  /** @internal The browser's call: loads the model. */
  connectedCallback(): void {
    if (this.#view === null) {
      const root = this.shadowRoot ?? this.attachShadow({ mode: 'open', delegatesFocus: true });
      this.#view = new View(root, this.#words, {
        onFile: (file) => void this.show(file),
        onCancel: () => this.#cancel(),
      });
      this.#listen();
    }
    if (this.#model === null) void this.#load();
  }

  /** @internal The browser's call: lets the model go. */
  disconnectedCallback(): void {
    // Moved within the page it is connected again by then, and keeps its model.
    queueMicrotask(() => {
      if (!this.isConnected) this.#forgetModel();
    });
  }

  /** @internal The browser's call: an attribute was changed. */
  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now || !this.isConnected || this.#view === null) return;
    if (name === 'tasks') {
      if (this.#image !== null && this.#model !== null) void this.show(this.#image);
    } else {
      void this.#load();
    }
  }

  /**
   * Shows an image and answers it; one that comes before the model waits for it. An image before it
   * that is not yet answered is given up.
   *
   * @returns the answers, or `null` where they were cancelled, failed, or wait for the model: the
   * events tell of those.
   */
  async show(image: ImageInput): Promise<Analysis | null> {
    this.#running?.abort();
    const [view, model] = [this.#view, this.#model];
    if (view === null || model === null) {
      this.#waiting = image;
      return null;
    }
    const running = new AbortController();
    const { signal } = running;
    this.#running = running;
    this.#image = image;
    this.#analysis = null;
    view.error(null);
    view.answers(null);
    view.status(this.#words.analysing);
    view.running(0);
    try {
      this.#preview = await model.preview(image, { signal });
      view.showImage(true);
      this.#draw();
      const { tasks } = this;
      const analysis = await model.analyze(image, {
        ...(tasks.length > 0 ? { tasks } : {}),
        signal,
        onProgress: ({ fraction }) => {
          if (this.#running === running) view.running(fraction);
        },
      });
      this.#analysis = analysis;
      this.#shown = new Set(analysis.report.results.map(({ task }) => task));
      this.#draw();
      this.#list();
      view.status(this.#words.done);
      this.#tell('result', analysis);
      return analysis;
    } catch (error) {
      if (this.#running === running) this.#failed(error, signal);
      return null;
    } finally {
      if (this.#running === running) {
        this.#running = null;
        view.running(null);
      }
    }
  }

  /** Cancels what runs. */
  #cancel(): void {
    this.#running?.abort();
    this.#loading?.abort();
  }

  get #words(): ViewerMessages {
    return { ...ENGLISH, ...this.messages };
  }

  async #load(): Promise<void> {
    this.#forgetModel();
    const [view, { src }, { loader }] = [this.#view, this, MedleyViewer];
    if (view === null || src === '' || loader === null) return;
    const loading = new AbortController();
    this.#loading = loading;
    view.error(null);
    view.status(this.#words.loading);
    view.running(0);
    try {
      const model = await loader(src, {
        device: this.device,
        signal: loading.signal,
        onProgress: (progress) => {
          if (this.#loading !== loading) return;
          view.running(progress.fraction);
          this.#tell('progress', progress);
        },
        ...(this.urls === undefined ? {} : { urls: this.urls }),
      });
      this.#adopt(model);
    } catch (error) {
      if (this.#loading === loading) this.#failed(error, loading.signal);
      return;
    } finally {
      if (this.#loading === loading) {
        this.#loading = null;
        view.running(null);
      }
    }
    const waiting = this.#waiting ?? this.#image;
    this.#waiting = null;
    if (waiting !== null) await this.show(waiting);
  }

  #adopt(model: Model): void {
    this.#model = model;
    this.#view?.status(this.#words.ready);
    model.on('progress', (progress) => this.#tell('progress', progress));
    model.on('backendchange', (change) => this.#tell('backendchange', change));
    model.on('error', (error) => {
      this.#view?.error(error);
      this.#tell('error', error);
    });
    this.#tell('ready', model);
  }

  #forgetModel(): void {
    this.#running?.abort();
    this.#loading?.abort();
    this.#loading = null;
    this.#model?.dispose();
    this.#model = null;
  }

  #failed(thrown: unknown, signal: AbortSignal): void {
    if (signal.aborted && (isAbort(thrown) || thrown === signal.reason)) {
      this.#view?.status(this.#words.cancelled);
      return;
    }
    const error = thrown instanceof MedleyError ? thrown : fromErrorData(toErrorData(thrown));
    this.#view?.status('');
    this.#view?.error(error);
    this.#tell('error', error);
  }

  #draw(): void {
    const [view, preview, model] = [this.#view, this.#preview, this.#model];
    if (view === null || preview === null || model === null) return;
    draw(view.canvas, preview, this.#analysis, model.tasks, this.#shown);
  }

  #list(): void {
    const [analysis, model] = [this.#analysis, this.#model];
    if (analysis === null || model === null) return;
    const list = answerList(analysis, model.tasks, this.#shown, this.#words, (task, show) => {
      if (show) this.#shown.add(task);
      else this.#shown.delete(task);
      this.#draw();
    });
    this.#view?.answers(list);
  }

  /** Drop, paste and Escape. */
  #listen(): void {
    const over = (event: DragEvent): void => {
      event.preventDefault();
      this.#view?.over(true);
    };
    this.addEventListener('dragenter', over);
    this.addEventListener('dragover', over);
    this.addEventListener('dragleave', () => this.#view?.over(false));
    this.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#view?.over(false);
      this.#take(event.dataTransfer);
    });
    this.addEventListener('paste', (event) => this.#take(event.clipboardData));
    this.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#cancel();
    });
  }

  #take(transfer: DataTransfer | null): void {
    const file = transfer?.files[0];
    if (file !== undefined) void this.show(file);
  }

  #tell<Name extends keyof ViewerEvents>(name: Name, detail: ViewerEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'medley-viewer': MedleyViewer;
  }
}

import { type Analysis, type DeviceChoice, loadModel, MedleyError, type Model } from '@medley/web';
import { Alert } from './alert.js';
import { Controls } from './controls.js';
import { type Layer, makeLayers } from './layers.js';
import { ModelPanel } from './model-panel.js';
import { Results } from './results.js';
import { sampleStrip } from './sample-strip.js';
import type { Sample } from './samples/index.js';
import { Stage } from './stage.js';
import { TaskChooser } from './tasks.js';

/** Where the shipped model lies, beside the page. */
const MODEL_URL = './models/medley-nano/';

/** An image that the reader has chosen. */
interface Chosen {
  file: File;
  /** The kind of image where it is known, as for samples. */
  kind: string | null;
  /** The sample that it is, if it is one. */
  sample: Sample | null;
}

/** How the page is opened: `?device=wasm`, `?software-gpu`. */
export interface AppOptions {
  device: DeviceChoice;
  acceptFallbackAdapter: boolean;
}

/** The page: one model, one image at a time. */
export class App {
  readonly #options: AppOptions;
  readonly #alert = new Alert();
  readonly #panel: ModelPanel;
  readonly #stage: Stage;
  readonly #controls: Controls;
  readonly #results = new Results();
  readonly #tasks: TaskChooser;
  #model: Model | null = null;
  #loading: AbortController | null = null;
  #running: AbortController | null = null;
  #chosen: Chosen | null = null;
  #analysis: Analysis | null = null;
  #layers: Layer[] = [];
  #kind: string | null = null;
  #visible = new Set<string>();

  constructor(options: AppOptions) {
    this.#options = options;
    this.#panel = new ModelPanel(options.device, {
      onLoad: () => void this.load(),
      onCancel: () => this.#loading?.abort(),
    });
    this.#stage = new Stage({
      onFile: (file) => void this.#choose({ file, kind: null, sample: null }),
      onCancel: () => this.#running?.abort(),
    });
    this.#controls = new Controls(() => this.#redraw());
    this.#tasks = new TaskChooser(() => void this.#analyze());
    this.#results.placeholder('Choose an image or a sample; the answers appear here.');
    sampleStrip((file, sample) => void this.#choose({ file, kind: sample.modality, sample }));
  }

  /** Loads the model anew on what the panel says; an image that waits is analysed when it is there. */
  async load(): Promise<void> {
    this.#loading?.abort();
    this.#running?.abort();
    this.#model?.dispose();
    this.#model = null;
    const loading = new AbortController();
    this.#loading = loading;
    this.#panel.loading();
    try {
      const model = await loadModel(MODEL_URL, {
        device: this.#panel.device,
        acceptFallbackAdapter: this.#options.acceptFallbackAdapter,
        onProgress: (progress) => {
          if (!loading.signal.aborted) this.#panel.progress(progress);
        },
        signal: loading.signal,
      });
      this.#model = model;
      this.#panel.ready(model.metadata, model.backend);
      this.#tasks.offer(model.tasks);
    } catch (error) {
      if (this.#loading !== loading) return;
      this.#stage.busy(null);
      this.#panel.missing(loading.signal.aborted ? 'Loading was cancelled' : 'The model is not loaded');
      if (!loading.signal.aborted) this.#alert.show(error);
      return;
    }
    if (this.#chosen !== null) await this.#choose(this.#chosen);
  }

  async #choose(chosen: Chosen): Promise<void> {
    this.#alert.clear();
    this.#running?.abort();
    this.#chosen = chosen;
    const model = this.#model;
    if (model === null) {
      this.#stage.busy(this.#panel.waiting ? 'The image is here; waiting for the model' : null);
      return;
    }
    this.#analysis = null;
    this.#layers = [];
    this.#kind = chosen.kind;
    try {
      const preview = await model.preview(chosen.file);
      if (this.#chosen !== chosen) return;
      this.#stage.show(preview, chosen.file, chosen.sample !== null);
      this.#redraw();
    } catch (error) {
      if (this.#chosen !== chosen) return;
      this.#chosen = null;
      this.#stage.busy(null);
      this.#stage.clear();
      this.#fail(error);
      return;
    }
    await this.#analyze();
  }

  async #analyze(): Promise<void> {
    this.#running?.abort();
    const [model, chosen] = [this.#model, this.#chosen];
    if (model === null || chosen === null) return;
    const tasks = this.#tasks.chosen;
    if (tasks.length === 0) {
      this.#forget('No task is chosen.');
      return;
    }
    const running = new AbortController();
    this.#running = running;
    this.#stage.busy('Analysing');
    if (this.#analysis === null) this.#results.placeholder('Analysing…');
    try {
      const analysis = await model.analyze(chosen.file, { tasks, signal: running.signal });
      this.#analysis = analysis;
      this.#layers = makeLayers(analysis, model.tasks);
      this.#setKind(this.#kind);
    } catch (error) {
      if (this.#running !== running) return;
      if (running.signal.aborted) this.#forget('The analysis was cancelled.');
      else this.#fail(error);
    } finally {
      if (this.#running === running) this.#stage.busy(null);
    }
  }

  #fail(error: unknown): void {
    this.#forget('There are no answers: see the message at the image.');
    this.#alert.show(error);
    if (error instanceof MedleyError && error.code === 'crashed') {
      // Not with the same image: it would only crash again.
      this.#chosen = null;
      void this.load();
    }
  }

  #forget(why: string): void {
    this.#analysis = null;
    this.#layers = [];
    this.#results.placeholder(why);
    this.#redraw();
  }

  /**
   * Narrows the answers down. Of one kind every layer is shown (over a sample those that it is
   * meant for), of all kinds none but what is asked for.
   */
  #setKind(kind: string | null): void {
    const model = this.#model;
    if (this.#analysis === null || model === null) return;
    this.#kind = kind;
    const sample = this.#chosen?.sample;
    const ofKind = model.tasks.filter((task) => task.modality === kind).map((task) => task.name);
    this.#visible = new Set(sample?.modality === kind ? sample?.shows : ofKind);
    this.#results.show({
      analysis: this.#analysis,
      metadata: model.metadata,
      layers: this.#layers,
      kind,
      threshold: this.#controls.threshold,
      isVisible: (task) => this.#visible.has(task),
      onKind: (chosen) => this.#setKind(chosen),
      onVisible: (task, visible) => {
        if (visible) this.#visible.add(task);
        else this.#visible.delete(task);
        this.#redraw();
      },
    });
    this.#redraw();
  }

  #redraw(): void {
    const layers = this.#layers.filter((layer) => this.#visible.has(layer.task));
    const { opacity, threshold } = this.#controls;
    this.#controls.show(layers);
    this.#results.countBoxes(threshold);
    this.#stage.viewer.look({ layers, opacity, threshold });
  }
}

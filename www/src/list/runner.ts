import type { Model, Preview, Report } from '@medley/web';
import { inTwo, joined } from './early.js';
import type { Item } from './item.js';
import { thumbnail } from './thumbnail.js';
import type { WorkList } from './work-list.js';

/** Longer side of what is shown, in pixels: more than most screens, less than memory minds. */
export const PREVIEW_SIDE = 2048;

/** What the runner needs of the page. */
export interface RunnerHooks {
  model: () => Model | null;
  /** Names of the tasks to ask. */
  tasks: () => readonly string[];
  /** The item to prefer while it waits: what the reader looks at. */
  preferred: () => Item | null;
  /** An image was decoded for the screen. */
  onPreview: (item: Item, preview: Preview) => void;
}

/** Takes the waiting images to the model, one at a time. */
export class Runner {
  readonly #list: WorkList;
  readonly #hooks: RunnerHooks;
  #running: { item: Item; cancel: AbortController } | null = null;

  constructor(list: WorkList, hooks: RunnerHooks) {
    this.#list = list;
    this.#hooks = hooks;
  }

  /** Goes on with what waits; returns at once. */
  wake(): void {
    if (this.#running !== null) return;
    const model = this.#hooks.model();
    const item = this.#next();
    if (model === null || item === null || this.#hooks.tasks().length === 0) return;
    const running = { item, cancel: new AbortController() };
    this.#running = running;
    void this.#run(model, item, running.cancel.signal).finally(() => {
      if (this.#running === running) this.#running = null;
      this.wake();
    });
  }

  /** Asks about these images again, or for the first time. */
  ask(items: readonly Item[]): void {
    for (const item of items) {
      if (this.#running?.item === item) this.#running.cancel.abort();
      this.#list.update([item], { state: 'waiting', early: null, error: null });
    }
    this.wake();
  }

  /** Keeps waiting images from being asked about and stops the one that is. */
  cancel(items: readonly Item[]): void {
    for (const item of items) {
      if (item.state !== 'waiting' && item.state !== 'running') continue;
      const whole = item.series === null ? item.report !== null : item.series.analysis !== null;
      this.#list.update([item], { state: whole ? 'done' : 'cancelled', early: null });
      if (this.#running?.item === item) this.#running.cancel.abort();
    }
  }

  /** The model is gone: what ran waits for the next one. */
  interrupt(): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    running.cancel.abort();
    // One that failed, perhaps by what ended the model, is not tried again.
    if (running.item.state === 'running') this.#list.update([running.item], { state: 'waiting', early: null });
  }

  #next(): Item | null {
    const preferred = this.#hooks.preferred();
    if (preferred?.state === 'waiting') return preferred;
    return this.#list.items.find((item) => item.state === 'waiting') ?? null;
  }

  async #run(model: Model, item: Item, signal: AbortSignal): Promise<void> {
    this.#list.update([item], { state: 'running', error: null });
    try {
      if (item.size === null || item.thumbnail === null) await this.#decode(model, item, signal);
      const tasks = this.#hooks.tasks();
      if (item.series === null) {
        const report = await this.#answer(model, item, tasks, signal);
        this.#list.update([item], { state: 'done', report, early: null });
        return;
      }
      const { series } = item;
      await series.analyze(model, tasks, signal, () => this.#list.update([item], { report: series.report }));
      this.#list.update([item], { state: 'done', report: series.report });
    } catch (error) {
      // Whoever cancelled it has said what becomes of it.
      if (signal.aborted) return;
      this.#list.update([item], { state: 'failed', report: null, early: null, error });
    }
  }

  /** Of the picture that the reader looks at, what is computed soonest is shown soonest. */
  async #answer(model: Model, item: Item, tasks: readonly string[], signal: AbortSignal): Promise<Report> {
    const ask = async (some: readonly string[]): Promise<Report> => (await model.analyze(item.file, { tasks: some, signal })).report;
    const { first, rest } = inTwo(model.tasks, tasks, item.kind);
    if (first.length === 0 || this.#hooks.preferred() !== item) return ask(tasks);
    const early = await ask(first);
    this.#list.update([item], { early });
    return joined(early, await ask(rest), tasks);
  }

  async #decode(model: Model, item: Item, signal: AbortSignal): Promise<void> {
    if (item.series !== null) {
      const { slice } = item.series;
      const { width, height } = slice;
      const small = await thumbnail(await slice.render('default', { signal }));
      this.#list.update([item], { size: { width, height }, thumbnail: small });
      return;
    }
    const decoded = await model.preview(item.file, { maxSide: PREVIEW_SIDE, signal });
    const { width, height } = decoded;
    this.#list.update([item], { size: { width, height }, thumbnail: await thumbnail(decoded.pixels) });
    this.#hooks.onPreview(item, decoded);
  }
}

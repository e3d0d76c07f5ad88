import { MedleyError } from '@medley/web';
import type { Asked, Item, Taught } from '../list/item.js';
import type { WorkList } from '../list/work-list.js';

/** What asking needs of who teaches. */
export interface AskingHooks {
  /** The head's name, and whether it can answer by now. */
  head: () => { name: string; taught: boolean } | null;
  /** The image to prefer while it waits: what the reader looks at. */
  preferred: () => Item | null;
  /** Asks the head; of a series `onSlice` hears of each slice before its turn. */
  answer: (item: Item, signal: AbortSignal, onSlice: (slice: number) => void) => Promise<Taught>;
  onError: (error: unknown) => void;
}

/** Takes images of the list to the head that the reader taught, one at a time; each can be cancelled. */
export class Asking {
  readonly #list: WorkList;
  readonly #hooks: AskingHooks;
  /** What was asked for and is not done; with it what has been done since there was nothing to do. */
  readonly #round = new Set<Item>();
  #running: { item: Item; cancel: AbortController } | null = null;
  /** The model is being exchanged: what waits, waits for the head on the next one. */
  #held = false;

  constructor(list: WorkList, hooks: AskingHooks) {
    this.#list = list;
    this.#hooks = hooks;
  }

  /** Whether there is a head that can answer. */
  get ready(): boolean {
    return this.#hooks.head()?.taught === true;
  }

  /** How many of the images that were asked for are done; `null` where nothing is being asked. */
  get progress(): { done: number; all: number } | null {
    const open = [...this.#round].filter(({ asked }) => waits(asked)).length;
    return open === 0 ? null : { done: this.#round.size - open, all: this.#round.size };
  }

  /** Asks about images that the head has said nothing of. */
  ask(items: readonly Item[]): void {
    const wanted = items.filter(({ taught, asked, state }) => taught === null && !waits(asked) && state !== 'failed');
    if (this.progress === null) this.#round.clear();
    for (const item of wanted) this.#round.add(item);
    this.#wait(wanted);
    this.wake();
  }

  /** Keeps waiting images from being asked about and stops the one that is. */
  cancel(items: readonly Item[]): void {
    for (const item of items) {
      const { asked } = item;
      if (asked === null || !waits(asked)) continue;
      this.#list.update([item], { asked: { ...asked, state: 'cancelled' } });
      if (this.#running?.item === item) this.#running.cancel.abort();
    }
  }

  /** The head has learnt anew, or is another's copy: what it said is gone, and what was being asked is asked anew. */
  again(): void {
    const open = this.progress === null ? [] : [...this.#round].filter(({ asked }) => asked?.state !== 'cancelled');
    this.#forgetAnswers();
    this.#wait(open);
    this.wake();
  }

  /** There is another head, or none: nothing is left of what was asked. */
  stop(): void {
    this.#round.clear();
    this.#forgetAnswers();
  }

  /** An image left the list. */
  forget(item: Item): void {
    this.cancel([item]);
    this.#round.delete(item);
  }

  /** Goes on with what waits; returns at once. */
  wake(): void {
    const item = this.#next();
    if (this.#running !== null || this.#held || item === null || !this.ready) return;
    const running = { item, cancel: new AbortController() };
    this.#running = running;
    void this.#run(item, running.cancel.signal).finally(() => {
      if (this.#running === running) this.#running = null;
      this.wake();
    });
  }

  #next(): Item | null {
    const waiting = this.#list.items.filter(({ asked }) => asked?.state === 'waiting');
    return waiting.find((item) => item === this.#hooks.preferred()) ?? waiting[0] ?? null;
  }

  async #run(item: Item, signal: AbortSignal): Promise<void> {
    const head = this.#hooks.head()?.name ?? '';
    const at = (slice: number): void => {
      if (!signal.aborted) this.#list.update([item], { asked: { head, state: 'running', slice } });
    };
    at(0);
    try {
      const taught = await this.#hooks.answer(item, signal, at);
      if (!signal.aborted) this.#list.update([item], { taught, asked: null });
    } catch (error) {
      // Whoever stopped it has said what becomes of it.
      if (signal.aborted) return;
      this.#held = error instanceof MedleyError && error.code === 'disposed';
      this.#list.update([item], { asked: { head, state: this.#held ? 'waiting' : 'failed', slice: 0 } });
      if (!this.#held) this.#hooks.onError(error);
    }
  }

  #wait(items: readonly Item[]): void {
    const head = this.#hooks.head()?.name ?? '';
    const fresh = items.filter(({ asked }) => !waits(asked));
    if (fresh.length > 0) this.#list.update(fresh, { asked: { head, state: 'waiting', slice: 0 } });
  }

  #forgetAnswers(): void {
    this.#held = false;
    this.#running?.cancel.abort();
    this.#running = null;
    this.#list.update(this.#list.items, { taught: null, asked: null });
  }
}

function waits(asked: Asked | null): boolean {
  return asked?.state === 'waiting' || asked?.state === 'running';
}

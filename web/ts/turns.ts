import { abortable } from './cancel.js';

/** One after the other, in the order of asking. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Does the work when all before it is done; who gives up while waiting is passed over. */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last;
    let leave = (): void => {};
    this.#last = new Promise((resolve) => {
      leave = resolve;
    });
    try {
      await abortable(before, signal);
    } catch (error) {
      void before.then(leave);
      throw error;
    }
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

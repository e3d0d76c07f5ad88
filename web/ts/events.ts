/** Typed events: `on` returns what undoes it. */
export class Emitter<Events> {
  readonly #handlers = new Map<keyof Events, Set<(event: never) => void>>();

  /** Calls `handler` for every event of that name until the returned function is called. */
  on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers);
    // A handler of its own for each call: the same function may be added twice and removed once.
    const own = (event: Events[Name]): void => handler(event);
    handlers.add(own);
    return () => void handlers.delete(own);
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) {
      try {
        (handler as (event: Events[Name]) => void)(event);
      } catch (error) {
        // The listener's mistake is the listener's: it is reported as uncaught, and the others hear the event.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

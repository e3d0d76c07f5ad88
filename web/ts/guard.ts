import { fromErrorData, fromPanic, type MedleyError, toErrorData } from './errors.js';

/**
 * Keeps a crash from being a hang.
 *
 * A panic in Rust stops the wasm instance in the middle of a future that nobody will wake again:
 * the promise that the caller holds would stay pending. The panic hook calls the global
 * `medleyPanicked`, errors outside any promise reach the worker's own events; both end here, and
 * every promise under guard rejects.
 */
export class CrashGuard {
  readonly #waiting = new Set<(error: MedleyError) => void>();

  constructor(scope: EventTarget) {
    (globalThis as { medleyPanicked?: (message: string) => void }).medleyPanicked = (message) =>
      this.#crash(fromPanic(message));
    scope.addEventListener('error', (event) => {
      // Who waits is told what happened. The page would hear of it too, before that, and only that something did.
      if (this.#waiting.size > 0) event.preventDefault();
      this.#crash(toCrash((event as ErrorEvent).error));
    });
    scope.addEventListener('unhandledrejection', (event) => this.#crash(toCrash((event as PromiseRejectionEvent).reason)));
  }

  /** The work's own outcome, or the crash that came in between. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    let crashed: (error: MedleyError) => void = () => {};
    const crash = new Promise<never>((_, reject) => {
      crashed = reject;
    });
    this.#waiting.add(crashed);
    try {
      const working = work();
      // The crash first: a panic says more than the trap that follows it.
      return await Promise.race([crash, working]);
    } finally {
      this.#waiting.delete(crashed);
    }
  }

  #crash(error: MedleyError): void {
    for (const reject of this.#waiting) reject(error);
  }
}

function toCrash(thrown: unknown): MedleyError {
  const data = toErrorData(thrown);
  return fromErrorData({ ...data, code: data.code === 'memory' ? 'memory' : 'crashed' });
}

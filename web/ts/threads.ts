import { type Said, said } from './detail.js';
import { MedleyError } from './errors.js';

/** What a thread is started with. */
export interface ThreadOrder {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Where it says, as `ErrorData`, that it broke. */
  crashes: MessagePort;
}

/** As far as the build with threads has more than the others. */
export interface ThreadedModule {
  startThreads(threads: number): void;
}

/** A thread's script that has not started by then will not. */
const PATIENCE_MS = 10_000;

/** More threads than this wait for memory more than they compute. */
const MOST = 8;

/**
 * How many threads can compute here. More than one needs memory that workers share, which browsers give to pages that are
 * cross-origin isolated, and a wait that does not block (`Atomics.waitAsync`): without that the module's glue would start a worker
 * from a blob.
 */
export function possibleThreads(
  scope: { crossOriginIsolated?: boolean; navigator: { hardwareConcurrency?: number } },
  atomics: object,
): number {
  if (scope.crossOriginIsolated !== true || !('waitAsync' in atomics)) return 1;
  return Math.max(1, Math.min(scope.navigator.hardwareConcurrency ?? 1, MOST));
}

/**
 * Starts threads on a module that runs here; the calling worker is one of them.
 *
 * @param url - where their script is, where not beside the package's own.
 * @param watch - is given the port of each on which it says that it broke: while a thread computes, the calling worker hears nothing.
 * @returns the workers that compute beside the calling one: whoever ends the module ends them.
 * @throws {@link MedleyError} `backend` where one does not start; none is left behind then.
 */
export async function startThreads(
  glue: ThreadedModule,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  threads: number,
  url: string | undefined,
  watch: (crashes: MessagePort) => void,
): Promise<Worker[]> {
  const workers = Array.from({ length: threads - 1 }, () =>
    url === undefined
      ? // Written out: this form is what bundlers look for.
        new Worker(new URL('./thread.js', import.meta.url), { type: 'module', name: 'medley-thread' })
      : new Worker(url, { type: 'module', name: 'medley-thread' }),
  );
  try {
    await Promise.all(
      workers.map((worker) => {
        const { port1, port2 } = new MessageChannel();
        watch(port1);
        return ready(worker, { module, memory, crashes: port2 });
      }),
    );
    glue.startThreads(threads);
    return workers;
  } catch (error) {
    for (const worker of workers) worker.terminate();
    throw error;
  }
}

function ready(worker: Worker, order: ThreadOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: Said): void => reject(new MedleyError('backend', why));
    const seconds = PATIENCE_MS / 1000;
    const silent = said(`a thread could not be started: no word within ${seconds} s`, 'thread-silent', { seconds });
    const timer = setTimeout(() => fail(silent), PATIENCE_MS);
    worker.addEventListener('message', () => {
      clearTimeout(timer);
      resolve();
    });
    worker.addEventListener('error', (event) => {
      clearTimeout(timer);
      const why = event.message || 'its script could not be loaded, or its answer lacks Cross-Origin-Embedder-Policy';
      fail(said(`a thread could not be started: ${why}`, 'thread-script', event.message ? { why: event.message } : {}));
    });
    worker.postMessage(order, [order.crashes]);
  });
}

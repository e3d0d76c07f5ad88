import type { FromWorker, ToWorker } from './protocol.js';
import type { TrafficCount } from './traffic.js';

/** The first visit waits so long for the service worker to take over, so that it sees every request. */
const PATIENCE_MS = 1_000;

/** The page's side of its service worker. */
export class Offline {
  readonly #traffic: TrafficCount;
  readonly #onChange: () => void;
  #state: 'unsupported' | 'starting' | 'ready' = 'starting';

  constructor(traffic: TrafficCount, onChange: () => void) {
    this.#traffic = traffic;
    this.#onChange = onChange;
  }

  /** Whether the next visit needs no network. */
  get state(): 'unsupported' | 'starting' | 'ready' {
    return this.#state;
  }

  /** Starts it; resolves when it is in charge, or when the page must go on without it. */
  async start(): Promise<void> {
    // A secure context is needed; the development server's files change too often to be kept.
    if (!('serviceWorker' in navigator) || import.meta.env.DEV) return this.#set('unsupported');
    const { serviceWorker } = navigator;
    serviceWorker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
      if (event.data.type === 'traffic') this.#traffic.add(event.data);
      else this.#set(event.data.whole ? 'ready' : 'starting');
    });
    const registered = serviceWorker.register('./service-worker.js').catch(() => null);
    // One that is in charge already sees every request: only on the first visit there is something to wait for.
    if (serviceWorker.controller === null) {
      if ((await registered) === null) return this.#set('unsupported');
      await Promise.race([
        new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve, { once: true })),
        new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)),
      ]);
    }
    this.#traffic.complete = serviceWorker.controller !== null;
  }

  /** Everything that is needed was fetched once: it can be kept now. */
  async keep(): Promise<void> {
    if (this.#state === 'unsupported') return;
    const registration = await navigator.serviceWorker.ready;
    registration.active?.postMessage({ type: 'keep' } satisfies ToWorker);
  }

  #set(state: 'unsupported' | 'starting' | 'ready'): void {
    this.#state = state;
    this.#onChange();
  }
}

/** Removes the page's files that are kept on this device. */
export async function forgetPage(): Promise<void> {
  if (!('caches' in window)) return;
  for (const name of await caches.keys()) if (name.startsWith('medley-page-')) await caches.delete(name);
}

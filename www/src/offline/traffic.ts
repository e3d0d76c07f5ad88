import type { Traffic } from './protocol.js';

/** What was asked of the network in this visit, as the service worker saw it. */
export class TrafficCount {
  requests = 0;
  /** Carried by them: bodies and queries. */
  bytes = 0;
  /** Hosts other than the page's own. */
  readonly foreign = new Set<string>();
  readonly #onChange: () => void;
  #complete = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Whether all requests are seen: where there is no service worker nothing counts them. */
  get complete(): boolean {
    return this.#complete;
  }

  set complete(complete: boolean) {
    this.#complete = complete;
    this.#onChange();
  }

  add({ url, bytes }: Traffic): void {
    this.requests += 1;
    this.bytes += bytes;
    const { origin } = new URL(url);
    if (origin !== location.origin) this.foreign.add(origin);
    this.#onChange();
  }
}

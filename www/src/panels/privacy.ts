import { cacheSize, clearCache } from '@medley/web';
import { button, h } from '../dom.js';
import { bytes, integer } from '../format.js';
import { t } from '../language/index.js';
import { forgetPage, type Offline } from '../offline/offline.js';
import type { TrafficCount } from '../offline/traffic.js';

/** "What leaves this device: nothing", with a count and how to check it. */
export class PrivacyPanel {
  readonly #traffic: TrafficCount;
  readonly #offline: () => Offline;
  readonly #sent = h('dd', { id: 'bytes-sent' });
  readonly #requests = h('dd', { id: 'request-count' });
  readonly #state = h('dd', { id: 'offline-state' });
  readonly #kept = h('dd', {});

  constructor(traffic: TrafficCount, offline: () => Offline) {
    this.#traffic = traffic;
    this.#offline = offline;
  }

  content(): Node[] {
    this.count();
    void this.#measure();
    const said = h('span', { role: 'status', class: 'hint' });
    const forget = button('privacy.forget', () => {
      void Promise.all([clearCache(), forgetPage()]).then(() => {
        said.textContent = t('privacy.forgotten');
        return this.#measure();
      });
    });
    return [
      h('p', { class: 'lead', t: 'privacy.nothing' }),
      h(
        'dl',
        { class: 'figures' },
        h('div', {}, h('dt', { t: 'privacy.sent' }), this.#sent),
        h('div', {}, h('dt', { t: 'privacy.requests' }), this.#requests),
        h('div', {}, h('dt', { t: 'privacy.offline' }), this.#state),
        h('div', {}, h('dt', { t: 'privacy.kept' }), this.#kept),
      ),
      h('p', { class: 'hint' }, t(this.#traffic.complete ? 'privacy.counted' : 'privacy.notCounted')),
      h('h3', { t: 'privacy.check' }),
      h('ol', { class: 'bullets' }, ...(['privacy.check1', 'privacy.check2', 'privacy.check3'] as const).map((key) => h('li', { t: key }))),
      h('div', { class: 'actions' }, forget, said),
    ];
  }

  /** How much was sent, for the page's head; `null` where nothing counts it. */
  get sent(): string | null {
    return this.#traffic.complete ? bytes(this.#traffic.bytes) : null;
  }

  /** Writes the count anew. */
  count(): void {
    const { complete, bytes: sent, requests, foreign } = this.#traffic;
    this.#sent.textContent = complete ? bytes(sent) : '–';
    const where = foreign.size === 0 ? t('privacy.own') : t('privacy.foreign', { hosts: [...foreign].join(', ') });
    this.#requests.textContent = complete ? `${integer(requests)} ${where}` : '–';
    this.#state.textContent = t(`offline.${this.#offline().state}`);
  }

  async #measure(): Promise<void> {
    // All that this page's origin keeps; where the browser does not say, at least the weights.
    const all = (await navigator.storage?.estimate?.())?.usage ?? (await cacheSize());
    this.#kept.textContent = bytes(all);
  }
}

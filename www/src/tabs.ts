import { byId, h } from './dom.js';
import type { Key } from './language/index.js';

/** Tabs over panels that are in the page's HTML (ARIA Authoring Practices, "Tabs"). */
export class Tabs {
  readonly #tabs: { tab: HTMLButtonElement; panel: HTMLElement }[];
  readonly #onShow: (panel: string) => void;

  constructor(list: HTMLElement, tabs: readonly { label: Key; panel: string }[], onShow: (panel: string) => void) {
    this.#onShow = onShow;
    this.#tabs = tabs.map(({ label, panel: id }, i) => {
      const panel = byId(id);
      const tab = h('button', { type: 'button', role: 'tab', id: `${id}-tab`, 'aria-controls': id, t: label });
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', tab.id);
      tab.addEventListener('click', () => this.show(i));
      return { tab, panel };
    });
    list.append(...this.#tabs.map(({ tab }) => tab));
    list.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const at = this.#tabs.findIndex(({ tab }) => tab === document.activeElement);
      if (step === undefined || at < 0) return;
      const next = (at + step + this.#tabs.length) % this.#tabs.length;
      this.show(next);
      this.#tabs[next]?.tab.focus();
    });
    this.show(0);
  }

  show(n: number): void {
    this.#tabs.forEach(({ tab, panel }, i) => {
      tab.setAttribute('aria-selected', String(i === n));
      tab.tabIndex = i === n ? 0 : -1;
      panel.hidden = i !== n;
      if (i === n) this.#onShow(panel.id);
    });
  }
}

import type { Model } from '@medley/web';
import { copyText } from '../answers/copy.js';
import { button, h } from '../dom.js';
import { t } from '../language/index.js';

/** What is known of the page, for a bug report. */
export interface DiagnosticSources {
  model: Model | null;
  /** How many images are in which state; no names, no answers. */
  images: Record<string, number>;
  lastError: string | null;
  offline: string;
}

/** Everything that a bug report needs, to be read and copied; nothing of the reader's images is in it. */
export function diagnostics(sources: DiagnosticSources): Node[] {
  const text = JSON.stringify(
    {
      page: { offline: sources.offline, language: document.documentElement.lang, images: sources.images, lastError: sources.lastError },
      browser: {
        userAgent: navigator.userAgent,
        languages: navigator.languages,
        screen: `${innerWidth}x${innerHeight} @ ${devicePixelRatio}`,
      },
      report: sources.model?.report() ?? null,
    },
    null,
    2,
  );
  const said = h('span', { role: 'status', class: 'hint' });
  return [
    h('p', { class: 'hint', t: 'diagnostics.hint' }),
    h(
      'div',
      { class: 'actions' },
      button('diagnostics.copy', () => void copyText(text, said, t('diagnostics.done')), { class: 'primary', id: 'copy-diagnostics' }),
      said,
    ),
    h('pre', { tabindex: 0, role: 'region', tLabel: 'diagnostics.title' }, text),
  ];
}

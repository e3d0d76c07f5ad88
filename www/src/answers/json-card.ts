import type { Report } from '@medley/web';
import { button, h } from '../dom.js';
import { t } from '../language/index.js';
import { copyText } from './copy.js';

/** The answers as text to take along. */
export function jsonCard(report: Report): HTMLElement {
  const whole = JSON.stringify(report, null, 2);
  const said = h('span', { role: 'status', class: 'hint' });
  const copy = button('json.copy', () => void copyText(whole, said, t('json.done')), { class: 'quiet' });
  // A mask as text is long and says nothing to a reader: shortened on the screen, whole in the copy.
  const readable = JSON.stringify(
    report,
    (key, value: unknown) => (key === 'png_base64' && typeof value === 'string' ? `${value.slice(0, 24)}…` : value),
    2,
  );
  return h(
    'details',
    { class: 'card json' },
    h('summary', { t: 'json.title' }),
    h('div', { class: 'actions' }, copy, said),
    h('pre', { tabindex: 0, role: 'region', tLabel: 'json.label' }, readable),
  );
}

import { Alert } from '../alert.js';
import { copyText } from '../answers/copy.js';
import { button, byId, h } from '../dom.js';
import { bytes, milliseconds } from '../format.js';
import { type Key, t, translate } from '../language/index.js';
import { restoreTheme } from '../theme.js';
import { type Measure, type Measured, measure, type Row } from './measure.js';

const MODEL = new URL('models/medley-nano/', document.baseURI).href;

const NAMES: Readonly<Record<Measure, Key>> = {
  load: 'bench.load',
  'first answer': 'bench.first',
  encoder: 'bench.encoder',
  'preparation of 2048×2048, 16 bit': 'bench.prepare',
  'all tasks': 'bench.all',
  memory: 'bench.memory',
};

const results: Measured[] = [];
const progress = byId('progress');
const alert = new Alert();
const said = h('span', { role: 'status', class: 'hint' });
let running: AbortController | null = null;

restoreTheme();
translate(document.documentElement);
const start = (['wasm', 'webgpu'] as const).map((device) =>
  button(`bench.start.${device}`, () => void run(device), {
    class: 'primary',
    id: `start-${device}`,
    disabled: device === 'webgpu' && !('gpu' in navigator),
  }),
);
const cancel = button('cancel', () => running?.abort(), { id: 'cancel', hidden: true });
const copy = button('bench.copy', () => void copyText(asText(), said, t('diagnostics.done')), { id: 'copy', hidden: true });
byId('controls').append(...start, cancel, copy, said);

async function run(device: 'wasm' | 'webgpu'): Promise<void> {
  running = new AbortController();
  const enabled = start.filter((one) => !one.disabled);
  for (const one of enabled) one.disabled = true;
  cancel.hidden = false;
  alert.clear();
  try {
    const found = await measure(
      MODEL,
      device,
      (step, share) => {
        progress.textContent = t('bench.running', { what: t(NAMES[step]), share: Math.round(100 * share) });
      },
      running.signal,
    );
    results.push(found);
    byId('tables').append(table(found));
    copy.hidden = false;
    progress.textContent = t('bench.done');
  } catch (error) {
    if (running.signal.aborted) {
      progress.textContent = t('bench.cancelled');
    } else {
      progress.textContent = '';
      alert.show(error);
    }
  } finally {
    running = null;
    cancel.hidden = true;
    for (const one of enabled) one.disabled = false;
  }
}

/** The figures of one backend, each with a bar of its spread on the slowest one's scale. */
function table({ rows, report }: Measured): HTMLElement {
  const { kind, adapter, threads } = report.backend;
  const place = [kind === 'webgpu' ? t('model.webgpu') : t('model.wasm'), adapter, t('bench.threads', { n: threads })];
  return h(
    'section',
    { class: 'card', 'data-backend': kind },
    h('h2', {}, place.filter((part) => part !== null && part !== undefined && part !== '').join(' · ')),
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...(['bench.what', 'bench.median', 'bench.range'] as const).map((key) => h('th', { scope: 'col', t: key })))),
      h('tbody', {}, ...rows.map(line)),
    ),
  );
}

function line(row: Row): HTMLElement {
  const value = (of: number): string => (row.unit === 'MB' ? bytes(of * 1e6) : milliseconds(of));
  const range = row.low === row.high ? '' : `${value(row.low)} – ${value(row.high)}`;
  return h(
    'tr',
    { 'data-measure': row.measure },
    h('th', { scope: 'row', t: NAMES[row.measure] }),
    h('td', {}, value(row.median)),
    h('td', { class: 'hint' }, range),
  );
}

/** Everything measured so far, to be pasted into a mail or an issue. */
function asText(): string {
  return JSON.stringify(results, null, 2);
}

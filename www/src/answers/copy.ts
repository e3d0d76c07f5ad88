import type { Metadata, Report, TaskSpec } from '@medley/web';
import { button, h } from '../dom.js';
import { area, integer, percent, taskTitle, term } from '../format.js';
import { icon } from '../icons.js';
import { t } from '../language/index.js';
import { measured, qualityText } from './quality.js';

/** Puts text on the clipboard and says whether the browser let it. */
export async function copyText(text: string, said: HTMLElement, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = done;
  } catch {
    said.textContent = t('copy.refused');
  }
}

/** A button that copies the shown answers as text for a note or a mail. */
export function copyRow(report: Report, tasks: readonly TaskSpec[], metadata: Metadata): HTMLElement {
  const said = h('span', { role: 'status', class: 'hint' });
  const copy = button('copy.answers', () => void copyText(asText(report, tasks, metadata), said, t('copy.answersDone')), {
    class: 'quiet',
    id: 'copy-answers',
  });
  copy.prepend(icon('copy'));
  return h('div', { class: 'actions' }, copy, said);
}

/** The answers of some tasks as plain text, each with its measured quality. */
export function asText(report: Report, tasks: readonly TaskSpec[], metadata: Metadata): string {
  const lines = [report.file || t('image.pasted'), t('copy.by', { model: report.model, backend: report.backend }), ''];
  for (const { name } of tasks) {
    const result = report.results.find(({ task }) => task === name);
    if (result === undefined) continue;
    lines.push(taskTitle(name));
    if (result.kind === 'classification') {
      const sorted = [...result.classes].sort((a, b) => b.probability - a.probability);
      for (const { name: of, probability } of sorted) lines.push(`  ${term(of)}: ${percent(probability)}`);
    } else if (result.kind === 'segmentation') {
      const all = result.mask.width * result.mask.height;
      for (const [of, pixels] of Object.entries(result.mask.pixels).filter(([of]) => of !== 'background')) {
        const size = result.mask.mm2 == null ? '' : `, ${area(result.mask.mm2[of] ?? 0)}`;
        lines.push(`  ${term(of)}: ${percent(pixels / all)} (${t('answers.pixels', { n: integer(pixels) })}${size})`);
      }
    } else {
      const counts = new Map<string, number>();
      for (const box of result.boxes) counts.set(box.class, (counts.get(box.class) ?? 0) + 1);
      if (counts.size === 0) lines.push(`  ${t('copy.noBoxes')}`);
      for (const [of, n] of counts) lines.push(`  ${term(of)}: ${n}`);
    }
    lines.push(`  ${qualityText(measured(metadata, name))}`, '');
  }
  // The model's own words come first: they are what every export carries.
  lines.push(report.notice);
  return lines.join('\n');
}

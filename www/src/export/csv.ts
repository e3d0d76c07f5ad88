import { NOTICE } from '@medley/web';
import { type Item, probability } from '../list/item.js';

/** One column of answers. */
interface Column {
  title: string;
  value: (item: Item) => string | number;
}

/**
 * The list as a table: one row an image with state, the reader's mark and every answer. Names are the model's
 * own, numbers have a point, so that any program reads them.
 */
export function csv(items: readonly Item[]): string {
  const columns: Column[] = [
    { title: 'file', value: ({ file }) => file.webkitRelativePath || file.name },
    { title: 'width', value: ({ size }) => size?.width ?? '' },
    { title: 'height', value: ({ size }) => size?.height ?? '' },
    { title: 'kind', value: ({ kind }) => kind ?? '' },
    { title: 'state', value: ({ state }) => state },
    { title: 'mark', value: ({ mark }) => (mark === 'none' ? '' : mark) },
    { title: 'model', value: ({ report }) => report?.model ?? '' },
    { title: 'backend', value: ({ report }) => report?.backend ?? '' },
    { title: 'slices', value: ({ series }) => series?.length ?? '' },
    ...answerColumns(items),
    { title: 'notice', value: () => NOTICE },
  ];
  const rows = [columns.map(({ title }) => title), ...items.map((item) => columns.map(({ value }) => value(item)))];
  return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** A column for each class that any image has an answer about. */
function answerColumns(items: readonly Item[]): Column[] {
  const columns = new Map<string, Column>();
  for (const item of items) {
    for (const { name } of item.taught?.classes ?? []) {
      const task = item.taught?.task ?? '';
      const title = `taught ${task}: ${name}`;
      columns.set(title, { title, value: (of) => probability(of, task, name)?.toFixed(4) ?? '' });
    }
    // Of a series that what holds for all of it: its classes. Areas and boxes are those of single slices.
    const results = item.series === null ? item.report?.results : item.series.analysis?.classes;
    for (const result of results ?? []) {
      const { task } = result;
      const add = (title: string, value: Column['value']): void => {
        if (!columns.has(title)) columns.set(title, { title, value });
      };
      if (result.kind === 'classification') {
        for (const { name } of result.classes) add(`${task}: ${name}`, (of) => probability(of, task, name)?.toFixed(4) ?? '');
      } else if (result.kind === 'segmentation') {
        for (const name of Object.keys(result.mask.pixels)) {
          if (name !== 'background') add(`${task}: ${name} pixels`, (of) => pixels(of, task, name));
        }
      } else {
        add(`${task}: boxes`, (of) => boxes(of, task));
      }
    }
  }
  return [...columns.values()];
}

function pixels(item: Item, task: string, name: string): number | string {
  if (item.series !== null) return '';
  const result = item.report?.results.find((entry) => entry.task === task);
  return result?.kind === 'segmentation' ? (result.mask.pixels[name] ?? 0) : '';
}

function boxes(item: Item, task: string): number | string {
  if (item.series !== null) return '';
  const result = item.report?.results.find((entry) => entry.task === task);
  return result?.kind === 'detection' ? result.boxes.length : '';
}

/** A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection"). */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

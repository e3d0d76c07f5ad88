import { NOTICE } from '@medley/web';
import { type Item, probability, type Taught, type TaughtArea, taughtShare } from '../list/item.js';

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
    for (const column of item.taught === null ? [] : taughtColumns(item.taught)) columns.set(column.title, column);
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

/** Columns of the head that the reader taught: probabilities, or areas; the first class of areas is what lies around. */
function taughtColumns(taught: Taught): Column[] {
  const { task } = taught;
  if (taught.kind === 'classification') {
    return taught.classes.map(({ name }) => ({ title: `taught ${task}: ${name}`, value: (of) => taughtShare(of, task, name)?.toFixed(4) ?? '' }));
  }
  return taught.classes.slice(1).flatMap(({ name, mm2 }) => {
    const area = ({ taught: said }: Item): TaughtArea | undefined =>
      said?.kind === 'segmentation' && said.task === task ? said.classes.find((entry) => entry.name === name) : undefined;
    const columns: Column[] = [{ title: `taught ${task}: ${name} pixels`, value: (of) => area(of)?.pixels ?? '' }];
    if (mm2 !== null) columns.push({ title: `taught ${task}: ${name} mm2`, value: (of) => area(of)?.mm2?.toFixed(2) ?? '' });
    return columns;
  });
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

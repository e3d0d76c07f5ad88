import { NOTICE } from '@medley/web';
import type { ItemSeries } from '../dicom/item-series.js';
import type { Item } from '../list/item.js';

/** A series: its classes, and the report of each slice. */
function seriesJson({ analysis }: ItemSeries): object {
  return {
    report: null,
    classes: analysis?.classes ?? null,
    slices: analysis?.slices.map(({ report }) => report) ?? null,
  };
}

/** The list as JSON: of each image what the reader marked and the report as `medley predict --json` prints it. */
export function listJson(items: readonly Item[]): string {
  const images = items.map(({ file, series, size, kind, state, mark, report, taught }) => ({
    file: file.webkitRelativePath || file.name,
    size,
    kind,
    state,
    mark: mark === 'none' ? null : mark,
    ...(series === null ? { report } : seriesJson(series)),
    taught,
  }));
  return `${JSON.stringify({ format: 1, notice: NOTICE, images }, null, 2)}\n`;
}

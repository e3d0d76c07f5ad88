import { NOTICE } from '@medley/web';
import type { Item } from '../list/item.js';

/** The list as JSON: of each image what the reader marked and the report as `medley predict --json` prints it. */
export function listJson(items: readonly Item[]): string {
  const images = items.map(({ file, size, kind, state, mark, report, taught }) => ({
    file: file.webkitRelativePath || file.name,
    size,
    kind,
    state,
    mark: mark === 'none' ? null : mark,
    report,
    taught,
  }));
  return `${JSON.stringify({ format: 1, notice: NOTICE, images }, null, 2)}\n`;
}

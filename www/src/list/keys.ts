import type { Mark } from './item.js';

const STEPS: Readonly<Record<string, number>> = { j: 1, k: -1 };
const MARKS: Readonly<Record<string, Mark>> = { n: 'normal', f: 'finding', u: 'unsure', x: 'none' };

/** What the keys do. */
export interface ListKeys {
  /** To the next image (1) or the previous one (-1). */
  onStep: (step: number) => void;
  onMark: (mark: Mark) => void;
}

/**
 * Letters go through the list and mark images, while the focus is in the list or on the image: elsewhere
 * single letters belong to the reader's own tools (WCAG 2.2, 2.1.4).
 */
export function listenToListKeys({ onStep, onMark }: ListKeys): void {
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('.items, #stage') === null) return;
    // In a choice of marks a letter chooses among them.
    if (/^(INPUT|SELECT)$/.test(target.tagName)) return;
    const key = event.key.toLowerCase();
    const [step, mark] = [STEPS[key], MARKS[key]];
    if (step !== undefined) onStep(step);
    if (mark !== undefined) onMark(mark);
  });
}

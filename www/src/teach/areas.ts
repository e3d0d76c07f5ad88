import type { Mask } from '@medley/web';

/** How many pixels of a mask each class has. */
export function countPixels({ indices }: Mask, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const index of indices) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

import type { Analysis, BoxesResult, DetectedBox, HeadDifference, Mask } from './types.js';

/** Boxes of one thing overlap at least this much (intersection over union). */
const SAME_BOX = 0.5;

/** How far apart the answers of two backends to one image are, head by head. */
export function compareAnalyses(one: Analysis, two: Analysis): HeadDifference[] {
  return one.report.results.map((result): HeadDifference => {
    const { task } = result;
    const match = two.report.results.find((candidate) => candidate.task === task);
    if (result.kind === 'classification' && match?.kind === 'classification') {
      const differences = result.classes.map(({ probability }, i) =>
        Math.abs(probability - (match.classes[i]?.probability ?? 0)),
      );
      return { task, measure: 'probability', difference: Math.max(0, ...differences) };
    }
    const [mask, otherMask] = [one.masks[task], two.masks[task]];
    if (result.kind === 'segmentation' && mask !== undefined && otherMask !== undefined) {
      return { task, measure: 'pixels', difference: shareOfPixels(mask, otherMask) };
    }
    if (result.kind === 'detection' && match?.kind === 'detection') {
      return { task, measure: 'score', ...compareBoxes(result, match) };
    }
    return { task, measure: 'missing', difference: 1 };
  });
}

/** The share of the pixels whose class differs. */
function shareOfPixels(one: Mask, two: Mask): number {
  if (one.indices.length !== two.indices.length) return 1;
  let different = 0;
  for (let i = 0; i < one.indices.length; i++) if (one.indices[i] !== two.indices[i]) different += 1;
  return different / Math.max(1, one.indices.length);
}

/** Matches boxes of one class, the most certain first. */
function compareBoxes({ boxes }: BoxesResult, other: BoxesResult): { difference: number; unmatched: number } {
  const left = new Set(other.boxes);
  let difference = 0;
  let unmatched = 0;
  for (const box of boxes) {
    const match = [...left].find((candidate) => candidate.class === box.class && overlap(candidate, box) >= SAME_BOX);
    if (match === undefined) {
      unmatched += 1;
      continue;
    }
    left.delete(match);
    difference = Math.max(difference, Math.abs(match.score - box.score));
  }
  return { difference, unmatched: unmatched + left.size };
}

function overlap({ box: a }: DetectedBox, { box: b }: DetectedBox): number {
  const wide = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const high = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const both = wide * high;
  const area = (box: DetectedBox['box']): number => (box[2] - box[0]) * (box[3] - box[1]);
  return both / Math.max(area(a) + area(b) - both, Number.MIN_VALUE);
}

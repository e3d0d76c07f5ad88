import type { Report, TaskSpec } from '@medley/web';

/**
 * What is asked of a picture first, and what afterwards: tasks that see it whole share one pass of the encoder, those that cut it
 * up need many. Nothing comes first where all are of one sort, or where none that would is about the kind of image.
 */
export function inTwo(tasks: readonly TaskSpec[], asked: readonly string[], kind: string | null): { first: string[]; rest: string[] } {
  const whole = tasks.filter(({ name, presentation }) => presentation.way === 'whole' && asked.includes(name));
  const about = kind === null || whole.some(({ modality }) => modality === kind);
  if (!about || whole.length === asked.length) return { first: [], rest: [...asked] };
  const first = whole.map(({ name }) => name);
  return { first, rest: asked.filter((name) => !first.includes(name)) };
}

/** Two reports on the same picture as one, as if all tasks had been asked at once. */
export function joined(first: Report, rest: Report, asked: readonly string[]): Report {
  const results = [...first.results, ...rest.results].sort((a, b) => asked.indexOf(a.task) - asked.indexOf(b.task));
  const [one, two] = [first.timing_ms, rest.timing_ms];
  return {
    ...rest,
    results,
    timing_ms: {
      prepare: one.prepare + two.prepare,
      encode: one.encode + two.encode,
      heads: one.heads + two.heads,
      finish: one.finish + two.finish,
      total: one.total + two.total,
    },
  };
}

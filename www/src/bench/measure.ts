import { type DeviceChoice, loadModel, type Model } from '@medley/web';

/** One figure, in the form of the rows of `cargo xtask bench web`. */
export interface Row {
  engine: 'medley';
  backend: string;
  threads: number;
  model: string;
  measure: Measure;
  median: number;
  low: number;
  high: number;
  unit: 'ms' | 'MB';
}

/** What is measured, in the order of the table. */
export const MEASURES = ['load', 'first answer', 'encoder', 'preparation of 2048×2048, 16 bit', 'all tasks', 'memory'] as const;
export type Measure = (typeof MEASURES)[number];

/** Warm runs; on a software GPU one of them takes seconds, so that there time decides. */
const RUNS = 20;
const MOST_MS = 60_000;
const LEAST_RUNS = 3;
/** The first passes fill caches and let the browser optimise the code. */
const WARM_UP = 2;
/** A radiograph's sides, in pixels. */
const LARGE = 2048;

export interface Measured {
  rows: Row[];
  /** The package's own report on model, backend and browser. */
  report: ReturnType<Model['report']>;
}

/**
 * Loads the model on a backend, runs it on noise and disposes of it.
 *
 * @param onStep - what is being measured, and the share of its runs that are done.
 * @throws what the package throws, and the signal's reason.
 */
export async function measure(
  url: string,
  device: Exclude<DeviceChoice, 'auto'>,
  onStep: (measure: Measure, share: number) => void,
  signal: AbortSignal,
): Promise<Measured> {
  onStep('load', 0);
  const begin = performance.now();
  const model = await loadModel(url, {
    device,
    acceptFallbackAdapter: true,
    signal,
    onProgress: ({ fraction }) => onStep('load', fraction),
  });
  try {
    const load = performance.now() - begin;
    const rows: Row[] = [];
    const add = (measure: Measure, values: readonly number[], unit: Row['unit'] = 'ms'): void => {
      const { kind: backend, threads } = model.backend;
      rows.push({ engine: 'medley', backend, threads, model: model.metadata.name, measure, ...spread(values), unit });
    };
    add('load', [load]);
    const whole = model.tasks.find(({ presentation }) => presentation.way === 'whole') ?? model.tasks[0];
    if (whole === undefined) throw new Error('the model has no task');
    const side = whole.presentation.size;
    const square = noise(side, side);
    const first = performance.now();
    await model.analyze(square, { tasks: [whole.name], signal });
    add('first answer', [performance.now() - first]);

    const repeat = async (measure: Measure, once: () => Promise<number>): Promise<void> => {
      const times: number[] = [];
      const since = performance.now();
      for (let run = 0; run < WARM_UP + RUNS; run += 1) {
        onStep(measure, run / (WARM_UP + RUNS));
        const time = await once();
        if (run >= WARM_UP) times.push(time);
        if (times.length >= LEAST_RUNS && performance.now() - since > MOST_MS) break;
      }
      add(measure, times);
    };
    await repeat('encoder', async () => {
      const { report } = await model.analyze(square, { tasks: [whole.name], signal });
      return report.timing_ms.encode;
    });
    const radiograph = { data: new Uint16Array(LARGE * LARGE).map((_, i) => grain(i) >>> 16), width: LARGE, height: LARGE };
    await repeat('preparation of 2048×2048, 16 bit', async () => {
      const { report } = await model.analyze(radiograph, { tasks: [whole.name], signal });
      return report.timing_ms.prepare;
    });
    await repeat('all tasks', async () => {
      const start = performance.now();
      await model.analyze(square, { signal });
      return performance.now() - start;
    });
    const report = model.report();
    add('memory', [Object.values(report.memory).reduce((all, bytes) => all + (bytes ?? 0), 0) / 1e6], 'MB');
    return { rows, report };
  } finally {
    model.dispose();
  }
}

/** Noise without a pattern: nothing in the arithmetic may profit from zeros. */
function grain(i: number): number {
  return Math.imul(i + 1, 2_654_435_761) >>> 0;
}

function noise(width: number, height: number): ImageData {
  return new ImageData(new Uint8ClampedArray(4 * width * height).map((_, i) => (i % 4 === 3 ? 255 : grain(i) >>> 24)), width, height);
}

function spread(values: readonly number[]): Pick<Row, 'median' | 'low' | 'high'> {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}

/** What loading is busy with, in this order; each is entered, even where there is nothing to do. */
export type ProgressPhase = 'download' | 'verify' | 'compile' | 'upload' | 'self-test' | 'warm-up';

/** How far loading has come. */
export interface Progress {
  /** What it is busy with. */
  phase: ProgressPhase;
  /** Bytes here so far, code and weights together; never falls. */
  loaded: number;
  /** Bytes that will be needed, as far as is known now. */
  total: number;
  /** 0..1 over all phases; never falls, and is 1 when the model is ready. */
  fraction: number;
}

/** Where each phase begins on the way from 0 to 1; the download, which is measured, has the most. */
const START: Readonly<Record<ProgressPhase, number>> = {
  download: 0,
  verify: 0.8,
  compile: 0.83,
  upload: 0.87,
  'self-test': 0.91,
  'warm-up': 0.96,
};

/**
 * Adds up the bytes of several files and keeps the fraction from falling, also when a file turns
 * out longer than announced, another one joins late, or one has to be fetched again.
 */
export class ProgressMeter {
  readonly #report: (progress: Progress) => void;
  readonly #now: () => number;
  readonly #files = new Map<string, { loaded: number; total: number }>();
  readonly #times = new Map<ProgressPhase, number>();
  #phase: ProgressPhase = 'download';
  #since: number;
  #fraction = 0;

  /** @param now - a clock, in milliseconds. */
  constructor(report: (progress: Progress) => void, now: () => number = () => performance.now()) {
    this.#report = report;
    this.#now = now;
    this.#since = now();
  }

  /** Announces a file and its length in bytes, where that is known. */
  expect(file: string, total: number): void {
    const entry = this.#files.get(file);
    this.#files.set(file, { loaded: entry?.loaded ?? 0, total });
    this.#emit();
  }

  /** Says how many bytes of a file are here. */
  advance(file: string, loaded: number): void {
    const entry = this.#files.get(file);
    // Bytes that are fetched a second time are not counted a second time.
    const most = Math.max(entry?.loaded ?? 0, loaded);
    this.#files.set(file, { loaded: most, total: Math.max(entry?.total ?? 0, most) });
    this.#emit();
  }

  /** Enters a phase; going back to one is told to nobody. */
  enter(phase: ProgressPhase): void {
    if (START[phase] > START[this.#phase]) {
      this.#lap();
      this.#phase = phase;
    }
    this.#emit();
  }

  /** All is done. */
  finish(): void {
    this.#lap();
    this.#fraction = 1;
    this.#emit();
  }

  /** Milliseconds that each phase took, as far as they are over. */
  get times(): Partial<Record<ProgressPhase, number>> {
    return Object.fromEntries(this.#times);
  }

  #lap(): void {
    const now = this.#now();
    this.#times.set(this.#phase, (this.#times.get(this.#phase) ?? 0) + now - this.#since);
    this.#since = now;
  }

  #emit(): void {
    let loaded = 0;
    let total = 0;
    for (const file of this.#files.values()) {
      loaded += file.loaded;
      total += file.total;
    }
    const within = this.#phase === 'download' && total > 0 ? (START.verify * loaded) / total : 0;
    this.#fraction = Math.max(this.#fraction, START[this.#phase] + within);
    this.#report({ phase: this.#phase, loaded, total, fraction: this.#fraction });
  }
}

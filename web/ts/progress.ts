/** What loading is busy with, in this order. */
export type ProgressPhase = 'download' | 'verify' | 'prepare' | 'self-test' | 'ready';

/** How far loading has come. */
export interface Progress {
  phase: ProgressPhase;
  /** Bytes here so far, code and weights together. */
  loaded: number;
  /** Bytes that will be needed, as far as is known now. */
  total: number;
  /** 0..1 over all phases; never falls. */
  fraction: number;
}

/** Where each phase begins on the way from 0 to 1; the download, which is measured, has the most. */
const START: Readonly<Record<ProgressPhase, number>> = {
  download: 0,
  verify: 0.9,
  prepare: 0.92,
  'self-test': 0.96,
  ready: 1,
};

/**
 * Adds up the bytes of several files and keeps the fraction from falling, also when a file turns
 * out longer than announced or another one joins late.
 */
export class ProgressMeter {
  readonly #report: (progress: Progress) => void;
  readonly #files = new Map<string, { loaded: number; total: number }>();
  #phase: ProgressPhase = 'download';
  #fraction = 0;

  constructor(report: (progress: Progress) => void) {
    this.#report = report;
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
    this.#files.set(file, { loaded, total: Math.max(entry?.total ?? 0, loaded) });
    this.#emit();
  }

  /** Enters a phase. */
  enter(phase: ProgressPhase): void {
    if (START[phase] >= START[this.#phase]) this.#phase = phase;
    this.#emit();
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

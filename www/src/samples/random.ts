/** A small generator of random numbers (mulberry32): the same seed draws the same picture everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in 0..1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Uniform in `low..high`. */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** About normal, mean 0, standard deviation 1: the sum of four uniform numbers. */
  normal(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * Math.sqrt(3);
  }
}

/** A function of the place in the picture. */
export type Field = (x: number, y: number) => number;

/** Smooth noise in -1..1 whose bumps are `scale` pixels wide, halved and doubled `octaves` times. */
export function noise(seed: number, scale: number, octaves = 1): Field {
  return (x, y) => {
    let sum = 0;
    let weight = 1;
    let total = 0;
    for (let octave = 0; octave < octaves; octave++) {
      const cell = scale / 2 ** octave;
      sum += weight * lattice(seed + octave * 1013, x / cell, y / cell);
      total += weight;
      weight /= 2;
    }
    return sum / total;
  };
}

function lattice(seed: number, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const u = smooth(x - x0);
  const v = smooth(y - y0);
  const top = mix(hash(seed, x0, y0), hash(seed, x0 + 1, y0), u);
  const bottom = mix(hash(seed, x0, y0 + 1), hash(seed, x0 + 1, y0 + 1), u);
  return mix(top, bottom, v);
}

function hash(seed: number, x: number, y: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1;
}

const smooth = (t: number): number => t * t * (3 - 2 * t);

export const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

export const clamp = (value: number, low = 0, high = 1): number => Math.min(high, Math.max(low, value));

/**
 * Colours for classes, distinguishable with any colour vision (Okabe and Ito, "Color Universal
 * Design", 2008), the ones that stand out on grey images first.
 */
export const COLOURS = ['#56b4e9', '#e69f00', '#cc79a7', '#f0e442', '#009e73', '#d55e00', '#0072b2'] as const;

/** The n-th colour, around again where there are more classes. */
export function colour(n: number): string {
  return COLOURS[n % COLOURS.length] ?? COLOURS[0];
}

/** "#56b4e9" → [86, 180, 233]. */
export function channels(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

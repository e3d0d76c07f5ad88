/** Okabe and Ito's colours, told apart with every kind of colour vision; black is left out. */
const COLOURS: readonly [number, number, number][] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
];

/** The colour of a class. */
export function colourOf(index: number): readonly [number, number, number] {
  return COLOURS[index % COLOURS.length] ?? [230, 159, 0];
}

/** The same for a style sheet or a canvas. */
export function cssColourOf(index: number): string {
  return `rgb(${colourOf(index).join(' ')})`;
}

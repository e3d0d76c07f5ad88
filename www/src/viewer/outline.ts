/**
 * The edges between a class's pixels and all others, as lines `x0, y0, x1, y1` in pixels of the mask. Runs of
 * edges in one direction are one line.
 */
export function outline(indices: Uint8Array, width: number, height: number, index: number): number[] {
  const lines: number[] = [];
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && indices[y * width + x] === index;
  for (let y = 0; y <= height; y++) {
    let begin = -1;
    for (let x = 0; x <= width; x++) {
      const edge = x < width && inside(x, y) !== inside(x, y - 1);
      if (edge && begin < 0) begin = x;
      if (!edge && begin >= 0) {
        lines.push(begin, y, x, y);
        begin = -1;
      }
    }
  }
  for (let x = 0; x <= width; x++) {
    let begin = -1;
    for (let y = 0; y <= height; y++) {
      const edge = y < height && inside(x, y) !== inside(x - 1, y);
      if (edge && begin < 0) begin = y;
      if (!edge && begin >= 0) {
        lines.push(x, begin, x, y);
        begin = -1;
      }
    }
  }
  return lines;
}

/** The lines as a path that a canvas can stroke at any zoom. */
export function outlinePath(lines: readonly number[]): Path2D {
  const path = new Path2D();
  for (let i = 0; i < lines.length; i += 4) {
    path.moveTo(lines[i] ?? 0, lines[i + 1] ?? 0);
    path.lineTo(lines[i + 2] ?? 0, lines[i + 3] ?? 0);
  }
  return path;
}

import type { Size } from './viewport.js';

/** A place in the image, in its pixels: (0, 0) is the upper left corner of the first. */
export interface Point {
  x: number;
  y: number;
}

/** The way of a brush over an image. */
export interface Stroke {
  /** At least one. */
  points: readonly Point[];
  /** Of the round brush, in pixels of the image. */
  diameter: number;
}

/**
 * The pixels that a stroke covers, `[x, y]` each, row by row: those whose middle the brush went over, and every one that
 * its own middle went through, however thin it is. None outside the image.
 */
export function coveredPixels({ points, diameter }: Stroke, size: Size): [number, number][] {
  const reach = reachOf(diameter);
  const [left, right] = span(points.map(({ x }) => x), reach, size.width);
  const [top, bottom] = span(points.map(({ y }) => y), reach, size.height);
  const wide = right - left;
  if (wide <= 0 || bottom <= top) return [];
  const covered = new Uint8Array(wide * (bottom - top));
  points.forEach((to, i) => {
    const from = points[i - 1] ?? to;
    const [begin, end] = span([from.x, to.x], reach, size.width);
    const [first, last] = span([from.y, to.y], reach, size.height);
    for (let y = first; y < last; y++) {
      for (let x = begin; x < end; x++) {
        if (distance({ x: x + 0.5, y: y + 0.5 }, from, to) <= reach) covered[(y - top) * wide + x - left] = 1;
      }
    }
  });
  const pixels: [number, number][] = [];
  covered.forEach((is, i) => {
    if (is === 1) pixels.push([left + (i % wide), top + Math.floor(i / wide)]);
  });
  return pixels;
}

/** Whether two strokes touch each other. */
export function touches(one: Stroke, other: Stroke): boolean {
  const near = reachOf(one.diameter) + reachOf(other.diameter);
  return one.points.some((point) =>
    other.points.some((to, i) => distance(point, other.points[i - 1] ?? to, to) <= near),
  );
}

/** The middle of a pixel is at most half a diagonal away from a point in it: so much a brush always reaches. */
function reachOf(diameter: number): number {
  return Math.max(diameter / 2, Math.SQRT1_2);
}

/** From a point to the line between two others. */
function distance(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / length;
  const share = Math.min(Math.max(along, 0), 1);
  return Math.hypot(point.x - from.x - share * dx, point.y - from.y - share * dy);
}

/** Which pixels of a side, from the first to before the last, can be within reach of places on it. */
function span(places: readonly number[], reach: number, side: number): [number, number] {
  // A long stroke has more points than a call can have arguments.
  const low = places.reduce((least, place) => Math.min(least, place), Number.POSITIVE_INFINITY);
  const high = places.reduce((most, place) => Math.max(most, place), Number.NEGATIVE_INFINITY);
  const inside = (at: number): number => Math.min(Math.max(Math.floor(at), 0), side);
  return [inside(low - reach), inside(high + reach + 1)];
}

import { clamp, type Field } from './random.js';

/** Red, green, blue; 0..1. */
export type Colour = readonly [number, number, number];

/** Left, top, right, bottom; in pixels. */
type Box = readonly [number, number, number, number];

/** How much of a shape covers a place, 0..1. */
export interface Shape {
  (x: number, y: number): number;
  /** Outside of it the shape covers nothing; without it the shape may be anywhere. */
  box?: Box;
}

/** A shape of which nothing lies outside the box: painting then costs only what is inside. */
function boxed(box: Box | undefined, shape: Field): Shape {
  const result: Shape = (x, y) => shape(x, y);
  if (box !== undefined) result.box = box;
  return result;
}

const grown = (box: Box, by: number): Box => [box[0] - by, box[1] - by, box[2] + by, box[3] + by];

const hull = (a: Box, b: Box): Box => [
  Math.min(a[0], b[0]),
  Math.min(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
];

/** A picture in the making: RGB, 0..1, painted shape over shape. */
export class Raster {
  readonly width: number;
  readonly height: number;
  readonly #pixels: Float32Array;

  constructor(width: number, height: number, colour: Colour = [0, 0, 0]) {
    this.width = width;
    this.height = height;
    this.#pixels = new Float32Array(width * height * 3);
    this.paint(() => 1, colour);
  }

  /** Lays a colour over what is there, where and as far as the shape covers it. */
  paint(shape: Shape, colour: Colour | ((x: number, y: number) => Colour), opacity = 1): void {
    this.#each(shape.box, (x, y, at) => {
      const cover = clamp(shape(x, y) * opacity);
      if (cover === 0) return;
      const [r, g, b] = typeof colour === 'function' ? colour(x, y) : colour;
      const pixels = this.#pixels;
      pixels[at] = (pixels[at] ?? 0) * (1 - cover) + r * cover;
      pixels[at + 1] = (pixels[at + 1] ?? 0) * (1 - cover) + g * cover;
      pixels[at + 2] = (pixels[at + 2] ?? 0) * (1 - cover) + b * cover;
    });
  }

  /** Adds light (or takes it, below zero), equally to all channels. */
  add(amount: Field): void {
    this.#each(undefined, (x, y, at) => {
      const value = amount(x, y);
      for (let c = at; c < at + 3; c++) this.#pixels[c] = (this.#pixels[c] ?? 0) + value;
    });
  }

  /** Multiplies the light, equally in all channels. */
  scale(factor: Field): void {
    this.#each(undefined, (x, y, at) => {
      const value = factor(x, y);
      for (let c = at; c < at + 3; c++) this.#pixels[c] = (this.#pixels[c] ?? 0) * value;
    });
  }

  /** The picture as 8-bit RGBA. */
  toImageData(): ImageData {
    const image = new ImageData(this.width, this.height);
    for (let i = 0; i < this.width * this.height; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * clamp(this.#pixels[3 * i + c] ?? 0));
      image.data[4 * i + 3] = 255;
    }
    return image;
  }

  #each(box: Box | undefined, visit: (x: number, y: number, at: number) => void): void {
    const [left, top, right, bottom] = box ?? [0, 0, this.width, this.height];
    const [x0, y0] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
    const [x1, y1] = [Math.min(this.width, Math.ceil(right)), Math.min(this.height, Math.ceil(bottom))];
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) visit(x, y, 3 * (y * this.width + x));
    }
  }
}

/** A grey colour. */
export const grey = (value: number): Colour => [value, value, value];

/** From 1 inside to 0 outside over `soft` pixels, by the signed distance to the edge. */
export const edge = (distance: number, soft: number): number => clamp(0.5 - distance / soft);

/** An ellipse, turned by `angle`; the distance is close enough for soft edges. */
export function ellipse(cx: number, cy: number, rx: number, ry: number, soft = 2, angle = 0): Shape {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const smaller = Math.min(rx, ry);
  const larger = Math.max(rx, ry);
  // `soft` is measured along the shorter axis; along the longer one the edge is that much wider.
  const reach = larger * (1 + soft / smaller);
  return boxed([cx - reach, cy - reach, cx + reach, cy + reach], (x, y) => {
    const u = ((x - cx) * cos + (y - cy) * sin) / rx;
    const v = (-(x - cx) * sin + (y - cy) * cos) / ry;
    return edge((Math.hypot(u, v) - 1) * smaller, soft);
  });
}

/** A round-ended line through points, `radius` thick from the first point to the last. */
export function stroke(points: readonly (readonly [number, number])[], radius: number, soft = 2, tip = radius): Shape {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const reach = Math.max(radius, tip) + soft;
  const box = grown([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], reach);
  return boxed(box, (x, y) => {
    let cover = 0;
    for (let i = 1; i < points.length; i++) {
      const [ax, ay] = points[i - 1] ?? [0, 0];
      const [bx, by] = points[i] ?? [0, 0];
      const length = (bx - ax) ** 2 + (by - ay) ** 2;
      const t = clamp(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / (length || 1));
      const along = (i - 1 + t) / (points.length - 1);
      const distance = Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
      cover = Math.max(cover, edge(distance - radius - (tip - radius) * along, soft));
    }
    return cover;
  });
}

/** Points along a curve, for {@link stroke}. */
export function curve(at: (t: number) => [number, number], steps = 16): [number, number][] {
  return Array.from({ length: steps + 1 }, (_, i) => at(i / steps));
}

/** Where either is. */
export function union(...shapes: Shape[]): Shape {
  const boxes = shapes.map((shape) => shape.box);
  const box = boxes.reduce((a, b) => (a === undefined || b === undefined ? undefined : hull(a, b)));
  return boxed(box, (x, y) => {
    let cover = 0;
    for (const shape of shapes) cover = Math.max(cover, shape(x, y));
    return cover;
  });
}

/** Where the first is and the second is not. */
export function without(shape: Shape, hole: Shape): Shape {
  return boxed(shape.box, (x, y) => {
    const cover = shape(x, y);
    return cover === 0 ? 0 : cover * (1 - hole(x, y));
  });
}

/** Where both are. */
export function both(a: Shape, b: Shape): Shape {
  return boxed(a.box, (x, y) => {
    const cover = a(x, y);
    return cover === 0 ? 0 : cover * b(x, y);
  });
}

/** A shape pushed about by noise, so that it does not look drawn with a compass. */
export function wobble(shape: Shape, dx: Field, dy: Field, amount: number): Shape {
  const box = shape.box === undefined ? undefined : grown(shape.box, amount);
  return boxed(box, (x, y) => shape(x + amount * dx(x, y), y + amount * dy(x, y)));
}

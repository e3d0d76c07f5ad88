import { both, type Colour, ellipse, Raster, stroke, union, without, wobble } from './raster.js';
import { type Field, mix, noise, Random } from './random.js';

/** A disc somewhere in the picture. */
interface Place {
  x: number;
  y: number;
  r: number;
}

/** Places that keep `gap` of their radii apart (below 1 they may overlap a little). */
function scatter(random: Random, count: number, width: number, height: number, radius: () => number, gap: number, taken: Place[] = []): Place[] {
  const places: Place[] = [];
  for (let attempt = 0; attempt < count * 60 && places.length < count; attempt++) {
    const place = { x: random.between(0, width), y: random.between(0, height), r: radius() };
    const free = [...taken, ...places].every((p) => Math.hypot(p.x - place.x, p.y - place.y) > gap * (p.r + place.r));
    if (free) places.push(place);
  }
  return places;
}

const blend = (a: Colour, b: Colour, t: number): Colour => [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)];

/** Nuclei that glow in a fluorescence microscope. */
export function nuclei(): Raster {
  const side = 288;
  const raster = new Raster(side, side, [0.02, 0.02, 0.02]);
  const random = new Random(71);
  const [dx, dy] = [noise(72, 16), noise(73, 16)];
  const inside = noise(74, 6, 2);
  const glow = noise(75, 90, 2);
  raster.add((x, y) => 0.012 * (1 + glow(x, y)));
  for (const place of scatter(random, 34, side, side, () => random.between(9, 15), 1.02)) {
    const stretch = random.between(0.74, 1);
    const angle = random.between(0, Math.PI);
    const light = random.between(0.34, 0.72);
    const shape = wobble(ellipse(place.x, place.y, place.r, place.r * stretch, 3, angle), dx, dy, 2.5);
    raster.paint(shape, (x, y) => {
      const value = light * (0.88 + 0.22 * inside(x, y));
      return [value, value, value];
    });
  }
  raster.add(() => 0.01 * random.normal());
  return raster;
}

const PLASMA: Colour = [0.86, 0.86, 0.8];
const RED_CELL: Colour = [0.83, 0.64, 0.6];
const CHROMATIN: Colour = [0.42, 0.24, 0.62];

function redCell(raster: Raster, place: Place, dx: Field, dy: Field, colour: Colour, ground: Colour): void {
  const disc = wobble(ellipse(place.x, place.y, place.r, place.r * 0.95, 3), dx, dy, 4);
  raster.paint(disc, (x, y) => {
    const d = Math.hypot(x - place.x, y - place.y) / place.r;
    return blend(colour, blend(ground, colour, 0.25), Math.max(0, 0.75 - 1.9 * d * d));
  });
  raster.paint(without(disc, wobble(ellipse(place.x, place.y, place.r * 0.9, place.r * 0.86, 3), dx, dy, 4)), blend(colour, [0.5, 0.32, 0.34], 0.35), 0.5);
}

function whiteCell(raster: Raster, place: Place, lobes: readonly (readonly [number, number, number])[], dx: Field, dy: Field): void {
  const grain = noise(81, 7, 2);
  const cell = wobble(ellipse(place.x, place.y, place.r, place.r * 0.96, 3), dx, dy, 6);
  raster.paint(cell, (x, y) => blend([0.8, 0.72, 0.84], [0.72, 0.6, 0.78], 0.5 + 0.5 * grain(x, y)), 0.95);
  const nucleus = union(
    ...lobes.map(([u, v, r]) => ellipse(place.x + u * place.r, place.y + v * place.r, r * place.r, r * place.r * 0.9, 3)),
  );
  raster.paint(both(wobble(nucleus, dx, dy, 5), cell), (x, y) => blend(CHROMATIN, [0.3, 0.13, 0.5], 0.5 + 0.5 * grain(x * 1.6, y * 1.6)));
}

function platelet(raster: Raster, place: Place, dx: Field, dy: Field): void {
  raster.paint(wobble(ellipse(place.x, place.y, place.r, place.r * 0.8, 3), dx, dy, 3), [0.58, 0.42, 0.72], 0.9);
}

/** The lobes of a neutrophil's nucleus: where, and how large, in radii of the cell. */
const LOBES = [
  [-0.34, -0.24, 0.36],
  [0.1, -0.42, 0.32],
  [0.4, 0.02, 0.34],
  [0.1, 0.38, 0.33],
] as const;

/** A blood smear: red cells, two white cells, platelets. */
export function bloodSmear(): Raster {
  const [width, height] = [448, 336];
  const ground = noise(76, 120, 2);
  const raster = new Raster(width, height, PLASMA);
  raster.add((x, y) => 0.03 * ground(x, y));
  const random = new Random(77);
  const [dx, dy] = [noise(78, 30, 2), noise(79, 30, 2)];
  const white: Place[] = [
    { x: 292, y: 118, r: 44 },
    { x: 92, y: 250, r: 40 },
  ];
  const red = scatter(random, 26, width, height, () => random.between(27, 32), 0.86, white);
  const small = scatter(random, 7, width, height, () => random.between(5, 7.5), 1.1, [...white, ...red]);
  for (const place of red) redCell(raster, place, dx, dy, RED_CELL, PLASMA);
  for (const place of small) platelet(raster, place, dx, dy);
  white.forEach((place, i) => whiteCell(raster, place, i === 0 ? LOBES : [[0, -0.02, 0.72]], dx, dy));
  raster.add(() => 0.008 * random.normal());
  return raster;
}

/** One white blood cell among red ones, close up. */
export function whiteBloodCell(): Raster {
  const side = 256;
  const ground: Colour = [0.97, 0.89, 0.8];
  const raster = new Raster(side, side, ground);
  const random = new Random(87);
  const [dx, dy] = [noise(88, 34, 2), noise(89, 34, 2)];
  const cell = { x: 128, y: 128, r: 47 };
  for (const place of scatter(random, 16, side, side, () => random.between(24, 29), 0.93, [cell])) {
    redCell(raster, place, dx, dy, [0.79, 0.6, 0.62], ground);
  }
  whiteCell(raster, cell, LOBES, dx, dy);
  raster.add(() => 0.006 * random.normal());
  return raster;
}

/** A stained section of tissue: a gland's dark nuclei, fibres, a few lymphocytes. */
export function histology(): Raster {
  const side = 384;
  const raster = new Raster(side, side);
  const fibres = noise(91, 26, 3);
  const swirl = noise(92, 110, 2);
  const strand = (x: number, y: number): number => {
    const shift = 50 * swirl(x, y);
    return fibres((x + y * 0.5 + shift) * 0.4, (y - x * 0.5 + shift) * 2.2);
  };
  raster.paint(
    () => 1,
    (x, y) => blend([0.87, 0.62, 0.76], [0.95, 0.82, 0.89], 0.5 + 0.9 * strand(x, y)),
  );
  const random = new Random(93);
  const [dx, dy] = [noise(94, 50, 2), noise(95, 50, 2)];
  const nests: [number, number, number, number][] = [
    [118, 126, 92, 74],
    [290, 262, 82, 96],
  ];
  for (const [x, y, rx, ry] of nests) {
    raster.paint(wobble(ellipse(x, y, rx, ry, 8), dx, dy, 14), (u, v) => blend([0.74, 0.52, 0.74], [0.82, 0.62, 0.8], 0.5 + 0.5 * fibres(u * 2, v * 2)), 0.85);
  }
  const mottle = noise(96, 5, 2);
  const nucleus = (place: Place, stretch: number, angle: number, colour: Colour): void => {
    const shape = ellipse(place.x, place.y, place.r, place.r * stretch, 2.5, angle);
    raster.paint(shape, (x, y) => blend(colour, [0.24, 0.12, 0.4], 0.28 + 0.4 * mottle(x, y)));
  };
  const all = scatter(random, 150, side, side, () => random.between(8, 11.5), 1.02);
  for (const place of all) {
    const nested = nests.some(([x, y, rx, ry]) => Math.hypot((place.x - x) / rx, (place.y - y) / ry) < 0.92);
    if (nested) {
      nucleus(place, random.between(0.75, 1), random.between(0, Math.PI), [0.5, 0.32, 0.62]);
    } else if (random.next() < 0.34) {
      nucleus({ ...place, r: place.r * 0.95 }, 0.34, 0.5 + 0.5 * swirl(place.x, place.y), [0.46, 0.28, 0.56]);
    } else if (random.next() < 0.3) {
      nucleus({ ...place, r: 5.6 }, 0.95, 0, [0.3, 0.16, 0.46]);
    }
  }
  raster.paint(stroke([[0, 330], [120, 300], [200, 384]], 5, 8), [0.97, 0.93, 0.95], 0.8);
  raster.add(() => 0.012 * random.normal());
  return raster;
}

import { both, curve, ellipse, grey, Raster, stroke, union, without, wobble } from './raster.js';
import { noise, Random } from './random.js';

/** A slice through the head with a bright tumour. */
export function brainMri(): Raster {
  const side = 320;
  const raster = new Raster(side, side, grey(0.02));
  const [dx, dy] = [noise(31, 34, 2), noise(32, 34, 2)];
  const folds = noise(33, 15, 3);
  const [cx, cy] = [160, 164];

  raster.paint(wobble(ellipse(cx, cy, 122, 144, 4), dx, dy, 3), grey(0.58));
  raster.paint(wobble(ellipse(cx, cy, 114, 136, 4), dx, dy, 3), grey(0.05));
  const brain = wobble(ellipse(cx, cy, 105, 127, 4), dx, dy, 6);
  raster.paint(brain, (x, y) => grey(0.36 + 0.05 * folds(x, y)));
  // White matter, folded into the cortex.
  const white = wobble(union(ellipse(118, 164, 48, 96, 16), ellipse(202, 164, 48, 96, 16)), dx, dy, 22);
  raster.paint(white, (x, y) => grey(0.47 + 0.03 * folds(x * 2, y * 2)), 0.9);
  const sulci = (x: number, y: number): number => (Math.abs(folds(x + 300, y)) < 0.045 ? 1 : 0);
  raster.paint(both(without(brain, ellipse(cx, cy, 78, 98, 30)), sulci), grey(0.14), 0.75);
  raster.paint(stroke([[cx, 42], [cx + 1, 118]], 1.8, 3), grey(0.1), 0.8);
  raster.paint(stroke([[cx - 1, 212], [cx, 286]], 1.8, 3), grey(0.1), 0.8);
  for (const s of [-1, 1]) {
    const horn = curve((t) => [cx + s * (8 + 26 * Math.sin(t * 2.2)), 118 + 82 * t]);
    raster.paint(stroke(horn, 10, 4, 6), grey(0.1), 0.95);
    raster.paint(ellipse(cx + s * 34, 158, 15, 25, 10, s * 0.3), grey(0.4), 0.8);
  }
  // The tumour pushes a dim rim of swelling before it.
  const tumour = wobble(ellipse(218, 118, 29, 25, 4, 0.4), noise(36, 14, 2), noise(37, 14, 2), 8);
  raster.paint(wobble(ellipse(216, 122, 48, 43, 22), dx, dy, 12), grey(0.27), 0.65);
  raster.paint(tumour, (x, y) => grey(0.88 + 0.08 * folds(x * 2, y * 2)));
  raster.paint(both(tumour, ellipse(220, 116, 9, 7, 8)), grey(0.5), 0.7);
  const random = new Random(38);
  raster.add(() => 0.014 * random.normal());
  return raster;
}

/** A slice through the chest in a soft-tissue window, with a nodule. */
export function chestCt(): Raster {
  const [width, height] = [352, 288];
  const raster = new Raster(width, height, grey(0.01));
  const [dx, dy] = [noise(41, 40, 2), noise(42, 40, 2)];
  const texture = noise(43, 8, 3);
  const [cx, cy] = [176, 138];
  raster.paint(wobble(ellipse(cx, cy, 150, 102, 3), dx, dy, 5), (x, y) => grey(0.19 + 0.03 * texture(x, y)));
  const muscle = wobble(ellipse(cx, cy, 136, 90, 5), dx, dy, 8);
  raster.paint(muscle, (x, y) => grey(0.42 + 0.04 * texture(x, y)));
  const mediastinum = union(ellipse(186, 134, 44, 50, 6), ellipse(cx, 188, 34, 30, 6));
  const lungs = wobble(
    without(union(ellipse(104, 138, 66, 66, 4), ellipse(250, 138, 62, 66, 4)), mediastinum),
    dx,
    dy,
    6,
  );
  raster.paint(lungs, grey(0.015));
  raster.paint(wobble(ellipse(188, 118, 34, 26, 4), dx, dy, 6), (x, y) => grey(0.52 + 0.03 * texture(x, y)));
  raster.paint(ellipse(164, 104, 13, 12, 3), grey(0.58));
  raster.paint(ellipse(204, 170, 11, 11, 3), grey(0.58));
  raster.paint(ellipse(180, 152, 8, 7, 2), grey(0.02));

  raster.paint(ellipse(cx, 194, 19, 15, 3), (x, y) => grey(0.86 + 0.12 * texture(x, y)));
  raster.paint(stroke([[cx, 206], [cx, 232]], 7, 3, 3), grey(0.88));
  raster.paint(stroke([[cx - 30, 218], [cx, 208], [cx + 30, 218]], 5, 3), grey(0.86));
  raster.paint(ellipse(cx, 196 + 16, 5, 4, 2), grey(0.45));
  for (let i = 0; i < 14; i++) {
    const angle = -0.5 + (i * (Math.PI * 2 + 0.2)) / 14;
    const [x, y] = [cx + 132 * Math.cos(angle), cy + 86 * Math.sin(angle)];
    raster.paint(ellipse(x, y, 15, 4.5, 2, angle + Math.PI / 2), grey(0.92));
  }
  raster.paint(ellipse(cx, 50, 22, 6, 3), grey(0.85));
  const nodule = wobble(ellipse(88, 118, 11, 10, 3), noise(45, 6), noise(46, 6), 4);
  raster.paint(nodule, grey(0.5));
  const random = new Random(47);
  for (let i = 0; i < 46; i++) {
    const s = random.next() < 0.5 ? -1 : 1;
    const [x, y] = [cx + s * random.between(34, 116), cy + random.between(-44, 46)];
    raster.paint(both(ellipse(x, y, random.between(1, 2.6), random.between(1, 2.2), 2), lungs), grey(0.42));
  }
  const table = curve((t) => [30 + 292 * t, 262 - 16 * (2 * t - 1) ** 2]);
  raster.paint(stroke(table, 1.6, 2), grey(0.5));
  raster.add(() => 0.012 * random.normal());
  return raster;
}

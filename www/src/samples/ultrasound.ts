import { both, ellipse, grey, Raster, type Shape, without, wobble } from './raster.js';
import { clamp, type Field, noise, Random } from './random.js';

/** A breast with a dark lesion that shadows what is below. */
export function breastUltrasound(): Raster {
  const [width, height] = [384, 320];
  const raster = new Raster(width, height);
  const layers = noise(51, 46, 3);
  const streaks = noise(52, 20, 2);
  raster.add((x, y) => {
    const skin = y < 12 ? 0.3 : 0;
    const fat = y < 96 ? 0.26 + 0.1 * layers(x, y * 2.6) : 0;
    const gland = y >= 96 && y < 232 ? 0.42 + 0.2 * layers(x * 0.8, y * 2.4) : 0;
    const wall = y >= 232 ? 0.22 + 0.16 * streaks(x * 0.25, y * 1.6) : 0;
    return skin + fat + gland + wall;
  });
  for (const [y, value] of [
    [22, 0.6],
    [96, 0.55],
    [232, 0.62],
  ] as const) {
    const line: Shape = (x, v) => clamp(1 - Math.abs(v - y - 7 * layers(x * 0.7, y)) / 4);
    raster.paint(line, grey(value), 0.6);
  }
  const shape = wobble(ellipse(196, 150, 56, 36, 5, -0.08), noise(53, 22, 2), noise(54, 22, 2), 9);
  const shadow: Shape = (x, y) => (y > 150 ? ellipse(196, 150, 40, 400, 30)(x, 150) : 0);
  raster.scale((x, y) => 1 - 0.45 * shadow(x, y));
  raster.paint(shape, (x, y) => grey(0.09 + 0.04 * streaks(x, y)), 0.95);
  speckle(raster, 55, 0.42);
  raster.scale((_, y) => 1.1 - y / 640);
  return raster;
}

/** A fetal head: a bright skull around the brain's midline. */
export function fetalHead(): Raster {
  const [width, height] = [416, 288];
  const raster = new Raster(width, height);
  const tissue = noise(61, 54, 3);
  const fan: Shape = (x, y) => {
    const [dx, dy] = [x - 208, y + 96];
    const radius = Math.hypot(dx, dy);
    const inside = Math.min(0.86 - Math.abs(Math.atan2(dx, dy)), (380 - radius) / 90, (radius - 100) / 90);
    return clamp(inside * 90);
  };
  const waves = (x: number, y: number): number => 0.2 + 0.17 * tissue(x * 0.6, y * 1.6);
  raster.paint(fan, (x, y) => grey(waves(x, y)));
  const [cx, cy, angle] = [206, 148, 0.12];
  const wob: [Field, Field, number] = [noise(62, 50), noise(63, 50), 4];
  const outer = wobble(ellipse(cx, cy, 118, 86, 5, angle), ...wob);
  const inner = wobble(ellipse(cx, cy, 110, 78, 5, angle), ...wob);
  raster.paint(outer, (x, y) => grey(0.1 + 0.09 * tissue(x * 1.4, y * 1.4)));
  // The skull answers best where the beam meets it head on, above and below.
  const skull = without(outer, inner);
  raster.paint((x, y) => skull(x, y) * clamp(0.42 + 0.58 * (Math.abs(y - cy) / 80) ** 1.2), grey(0.96));
  const along: Shape = (x, y) => {
    const u = (x - cx) * Math.cos(angle) + (y - cy) * Math.sin(angle);
    const v = -(x - cx) * Math.sin(angle) + (y - cy) * Math.cos(angle);
    return clamp(1.4 - Math.abs(v) / 2) * (Math.abs(u) < 88 && (u < -14 || u > 12) ? 1 : 0);
  };
  raster.paint(both(along, inner), grey(0.7), 0.85);
  for (const [x, y, rx, ry] of [
    [178, 128, 26, 8],
    [178, 166, 26, 8],
    [272, 160, 20, 22],
    [150, 146, 14, 10],
  ] as const) {
    raster.paint(ellipse(x, y, rx, ry, 9, angle), grey(0.4), 0.55);
    raster.paint(ellipse(x, y, rx * 0.7, ry * 0.6, 7, angle), grey(0.04), 0.8);
  }
  speckle(raster, 64, 0.5);
  return raster;
}

/** Ultrasound's grain: short arcs across the beam, as bright as the tissue under them. */
function speckle(raster: Raster, seed: number, amount: number): void {
  const fine = noise(seed, 3, 2);
  const random = new Random(seed + 1);
  raster.scale((x, y) => clamp(1 + amount * 1.5 * fine(x * 0.55, y * 1.15) + 0.1 * random.normal(), 0, 2.4));
}

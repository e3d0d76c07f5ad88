import { both, curve, ellipse, grey, Raster, stroke, union, without, wobble } from './raster.js';
import { noise, Random } from './random.js';

/** A chest from the front: lungs, heart, ribs, diaphragm. */
export function chestRadiograph(): Raster {
  const [width, height] = [448, 352];
  const raster = new Raster(width, height, grey(0.06));
  const middle = 224;
  const grain = noise(3, 40, 3);

  const torso = union(
    ellipse(middle, 250, 190, 210, 26),
    ellipse(middle, 110, 205, 62, 22),
    ellipse(middle, 20, 48, 90, 20),
  );
  raster.paint(torso, (x, y) => grey(0.6 + 0.05 * grain(x, y)));

  // The heart and the domes of the diaphragm cut into the lungs.
  const heart = union(ellipse(250, 226, 56, 62, 12, 0.5), ellipse(228, 180, 34, 60, 12));
  const domes = union(ellipse(135, 352, 100, 88, 8), ellipse(318, 362, 96, 88, 8));
  const [dx, dy] = [noise(7, 60, 2), noise(8, 60, 2)];
  const lung = (side: number): ReturnType<typeof ellipse> =>
    union(
      ellipse(middle + side * 84, 176, 62, 120, 12, side * 0.1),
      ellipse(middle + side * 98, 226, 58, 80, 12, side * -0.04),
      ellipse(middle + side * 64, 84, 34, 46, 10, side * 0.35),
    );
  const lungs = wobble(without(union(lung(-1), lung(1)), union(heart, domes)), dx, dy, 3);
  raster.paint(lungs, (x, y) => grey(0.2 + 0.03 * grain(x * 2, y * 2) + 0.00025 * y), 0.93);

  const random = new Random(11);
  for (const side of [-1, 1]) {
    // Vessels fan out from the hilum and thin towards the edge.
    for (let i = 0; i < 22; i++) {
      const angle = random.between(-1.35, 1.35);
      const reach = random.between(45, 95);
      const bend = random.between(-0.35, 0.35);
      const path = curve((t) => [
        middle + side * (30 + reach * t * Math.cos(angle + bend * t)),
        185 + reach * t * Math.sin(angle + bend * t),
      ]);
      raster.paint(both(stroke(path, 2.6, 4, 0.6), lungs), grey(0.5), 0.5);
    }
    // Ribs: the back halves fall outwards, the front ones, fainter, fall inwards.
    for (let i = 0; i < 9; i++) {
      const top = 50 + i * 27;
      const reach = 74 + 70 * Math.sin(Math.min(1.5, 0.55 + i * 0.16));
      const back = curve((t) => [
        middle + side * (14 + reach * Math.sin(t * 1.5)),
        top - 16 * Math.sin(t * 2.4) + 46 * t * t,
      ]);
      raster.paint(both(stroke(back, 5.5, 5), torso), grey(0.72), 0.3);
      const front = curve((t) => [
        middle + side * (14 + reach * Math.cos(t * 1.1)),
        top + 52 + 34 * Math.sin(t * 1.4),
      ]);
      raster.paint(both(stroke(front, 5, 6), lungs), grey(0.62), 0.16);
    }
    const clavicle = curve((t) => [middle + side * (22 + 150 * t), 74 - 22 * Math.sin(t * 2.6) - 8 * t]);
    raster.paint(stroke(clavicle, 6, 4), grey(0.84), 0.6);
    raster.paint(ellipse(middle + side * 182, 78, 26, 30, 14), grey(0.86), 0.5);
  }

  raster.paint(heart, (x, y) => grey(0.76 + 0.03 * grain(x, y)), 0.85);
  raster.paint(both(domes, torso), grey(0.8), 0.75);
  raster.paint(stroke([[middle, 0], [middle, height]], 19, 18), grey(0.84), 0.6);
  for (let i = 0; i < 12; i++) {
    raster.paint(ellipse(middle, 14 + i * 30, 17, 11, 6), grey(0.92), 0.22);
  }
  raster.paint(stroke([[middle - 2, 0], [middle - 4, 120]], 7, 8), grey(0.5), 0.6);
  finish(raster, 21, 0.018);
  return raster;
}

/** A forearm with a broken radius. */
export function forearmRadiograph(): Raster {
  const [width, height] = [288, 384];
  const raster = new Raster(width, height, grey(0.03));
  const grain = noise(5, 24, 3);
  const flesh = curve((t) => [144 + 8 * Math.sin(t * 3), -10 + 420 * t]);
  raster.paint(stroke(flesh, 84, 30, 62), (x, y) => grey(0.3 + 0.03 * grain(x, y)));

  const bone = (path: [number, number][], radius: number, tip: number): void => {
    raster.paint(stroke(path, radius, 3, tip), (x, y) => grey(0.86 + 0.06 * grain(x * 3, y)));
    // The marrow lets more through than the shaft's wall.
    raster.paint(stroke(path, radius * 0.55, 5, tip * 0.6), (x, y) => grey(0.58 + 0.08 * grain(x * 3, y)), 0.75);
  };
  bone(curve((t) => [106 + 10 * Math.sin(t * 2.6), 24 + 300 * t]), 15, 11);
  // The radius in two pieces, the lower one pushed aside.
  bone(curve((t) => [172 + 8 * Math.sin(t * 2), 30 + 168 * t]), 13, 14);
  bone(curve((t) => [192 - 4 * t, 206 + 122 * t]), 14, 21);
  for (const [x, y, rx, ry] of [
    [108, 16, 30, 26],
    [168, 14, 26, 24],
    [118, 330, 17, 15],
    [184, 334, 28, 17],
    [132, 362, 20, 15],
    [166, 364, 20, 15],
    [198, 362, 16, 14],
  ] as const) {
    raster.paint(ellipse(x, y, rx, ry, 4), (u, v) => grey(0.78 + 0.07 * grain(u * 2, v * 2)), 0.85);
  }
  const line = wobble(stroke([[156, 196], [206, 210]], 3, 3), noise(9, 8), noise(10, 8), 4);
  raster.paint(line, grey(0.3), 0.85);
  finish(raster, 22, 0.014);
  return raster;
}

/** The noise of the detector, and corners that get less light. */
function finish(raster: Raster, seed: number, amount: number): void {
  const random = new Random(seed);
  const [cx, cy] = [raster.width / 2, raster.height / 2];
  raster.scale((x, y) => 1 - 0.16 * ((x - cx) ** 2 + (y - cy) ** 2) / (cx ** 2 + cy ** 2));
  raster.add(() => amount * random.normal());
}

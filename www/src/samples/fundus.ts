import { type Colour, edge, ellipse, Raster, stroke, wobble } from './raster.js';
import { mix, noise, Random } from './random.js';

/** The back of an eye: disc, macula and branching vessels. */
export function retina(): Raster {
  const side = 480;
  const raster = new Raster(side, side, [0.01, 0.01, 0.01]);
  const [cx, cy, radius] = [240, 240, 226];
  const cloud = noise(101, 90, 3);
  const eye = (x: number, y: number): number => edge(Math.hypot(x - cx, y - cy) - radius, 4);
  raster.paint(eye, (x, y): Colour => {
    const off = Math.hypot(x - cx, y - cy) / radius;
    const light = 1 - 0.34 * off ** 3 + 0.05 * cloud(x, y);
    return [0.84 * light, mix(0.38, 0.26, off) * light, 0.1 * light];
  });
  const disc = { x: 326, y: 232 };
  raster.paint(ellipse(disc.x, disc.y, 54, 56, 50), [0.92, 0.5, 0.16], 0.45);
  raster.paint(ellipse(184, 246, 34, 32, 44), [0.52, 0.17, 0.06], 0.55);
  raster.paint(wobble(ellipse(disc.x, disc.y, 27, 30, 8), noise(102, 20), noise(103, 20), 4), [0.97, 0.72, 0.36]);
  raster.paint(ellipse(disc.x - 2, disc.y, 13, 15, 10), [0.99, 0.88, 0.6], 0.9);

  const random = new Random(104);
  const vessel = (x: number, y: number, heading: number, width: number, curl: number): void => {
    const points: [number, number][] = [[x, y]];
    let [px, py, direction] = [x, y, heading];
    const steps = Math.round(10 + width * 7);
    for (let i = 0; i < steps; i++) {
      direction += curl + 0.09 * random.normal();
      px += 9 * Math.cos(direction);
      py += 9 * Math.sin(direction);
      if (Math.hypot(px - cx, py - cy) > radius - 6) break;
      points.push([px, py]);
      const thinned = width * (1 - (0.55 * i) / steps);
      if (i > 2 && i % 5 === 0 && thinned > 1.0) {
        vessel(px, py, direction + (random.next() < 0.5 ? -1 : 1) * random.between(0.4, 0.9), thinned * 0.62, curl * random.between(-0.5, 1));
      }
    }
    if (points.length > 1) {
      raster.paint(stroke(points, width, 1.8, width * 0.4), [0.45, 0.08, 0.04], 0.82);
    }
  };
  // Two arcades bend around the macula, two branches go to the other side.
  vessel(disc.x, disc.y - 6, -1.95, 4.2, -0.055);
  vessel(disc.x - 4, disc.y - 4, -2.2, 3.1, -0.04);
  vessel(disc.x, disc.y + 6, 1.95, 4.2, 0.055);
  vessel(disc.x - 4, disc.y + 4, 2.2, 3.1, 0.04);
  vessel(disc.x, disc.y - 6, -1.05, 3.2, 0.03);
  vessel(disc.x, disc.y + 6, 1.05, 3.2, -0.03);
  vessel(disc.x - 10, disc.y, 3.0, 1.5, 0.01);
  raster.add((x, y) => eye(x, y) * 0.012 * random.normal());
  return raster;
}

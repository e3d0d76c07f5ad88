import { colour } from './palette.js';

export const FILLS = ['both', 'fill', 'outline'] as const;
/** How a mask is drawn. */
export type Fill = (typeof FILLS)[number];

/** How a class is drawn. */
export interface ClassStyle {
  /** "#rrggbb" */
  colour: string;
  /** Of a mask's area, 0..1; outlines are always whole. */
  opacity: number;
  fill: Fill;
}

/** How the classes of each task are drawn: kept from image to image. */
export class Styles {
  readonly #styles = new Map<string, ClassStyle>();

  /** The style of a task's class; `n` is the number of its first colour. */
  of(task: string, name: string, n: number): ClassStyle {
    const key = `${task}/${name}`;
    const style = this.#styles.get(key) ?? { colour: colour(n), opacity: 0.4, fill: 'both' };
    this.#styles.set(key, style);
    return style;
  }
}

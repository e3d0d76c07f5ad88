import type { Item } from '../list/item.js';
import type { Stage } from '../stage.js';
import { type LayerClass, MaskLayer } from '../viewer/layers.js';
import type { Brush } from '../viewer/painting.js';
import type { Styles } from '../viewer/style.js';
import { countPixels } from './areas.js';
import type { Answer, PixelTeacher } from './pixel-teacher.js';

/** Of strokes over what is around the thing that is looked for. */
const GROUND = '#ffffff';

/** What lies over an image while pixels are taught: the head's mask, and the brush with the strokes. */
export interface PaintedOver {
  layers: readonly MaskLayer[];
  brush: Brush | null;
}

/** Brings together the brush over the image, its controls and what is taught with it. */
export class Painter {
  readonly #teacher: PixelTeacher;
  readonly #stage: Stage;
  readonly #styles: Styles;
  #layer: { answer: Answer; layer: MaskLayer } | null = null;

  constructor(teacher: PixelTeacher, stage: Stage, styles: Styles) {
    this.#teacher = teacher;
    this.#stage = stage;
    this.#styles = styles;
  }

  /** The head's classes with their colours. */
  get classes(): LayerClass[] {
    const { head } = this.#teacher;
    if (head === null) return [];
    // The first has no colour in the mask, as the background of every mask.
    return head.classes.map((name, i) => ({
      name,
      own: true,
      style: i === 0 ? { colour: GROUND, opacity: 0, fill: 'fill' } : this.#styles.of(`taught/${head.name}`, name, i - 1),
    }));
  }

  /** The head's mask of an image, if there is one. */
  layer(item: Item): MaskLayer | null {
    const [answer, { head }] = [this.#teacher.answerOn(item), this.#teacher];
    if (answer === null || head === null) return null;
    if (this.#layer?.answer.mask !== answer.mask) this.#layer = { answer, layer: layerOf(answer, head.name, this.classes) };
    return this.#layer.layer;
  }

  over(item: Item): PaintedOver {
    const layer = this.layer(item);
    return { layers: layer === null ? [] : [layer], brush: this.#brush(item) };
  }

  /** Shows the controls that belong to what is painted on an image, or hides them. */
  show(item: Item | null): void {
    const { brushBar } = this.#stage;
    if (item?.size != null) brushBar.fit(Math.max(item.size.width, item.size.height));
    brushBar.show(item === null ? [] : this.classes, item !== null && this.#teacher.strokesOn(item).length > 0);
  }

  #brush(item: Item): Brush | null {
    const { brushBar } = this.#stage;
    const { classes } = this;
    const colourOf = (name: string | null): string => classes.find((entry) => entry.name === name)?.style.colour ?? GROUND;
    if (classes.length === 0) return null;
    return {
      diameter: brushBar.diameter,
      colour: colourOf(brushBar.chosen),
      erasing: brushBar.erasing,
      strokes: this.#teacher.strokesOn(item).map(({ points, diameter, class: name }) => ({ points, diameter, colour: colourOf(name) })),
    };
  }
}

/** A mask as a layer over the image. */
function layerOf({ item, slice, mask }: Answer, task: string, classes: readonly LayerClass[]): MaskLayer {
  const { width, height, indices } = mask;
  const counts = countPixels(mask, classes.length);
  const sizes = (ofPixel: number): Record<string, number> => Object.fromEntries(classes.map(({ name }, i) => [name, ofPixel * (counts[i] ?? 0)]));
  const area = item.series?.series.slices[slice]?.description.pixelArea ?? null;
  return new MaskLayer(task, { width, height, pixels: sizes(1), mm2: area === null ? null : sizes(area) }, classes.slice(1), async () => indices);
}

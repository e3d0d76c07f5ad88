import type { Placement } from './scene.js';
import type { Point, Stroke } from './stroke.js';
import type { Size } from './viewport.js';

/** A stroke that lies on the image. */
export interface PaintedStroke extends Stroke {
  /** "#rrggbb" */
  colour: string;
}

/** What the reader paints with, and what was painted on this image before. */
export interface Brush {
  /** In pixels of the image. */
  diameter: number;
  /** "#rrggbb" */
  colour: string;
  /** It takes strokes away instead. */
  erasing: boolean;
  strokes: readonly PaintedStroke[];
}

/** What comes of painting. */
export interface PaintEvents {
  /** A stroke was painted, or (`erasing`) goes over those that are to be taken away. */
  onStroke: (stroke: Stroke, erasing: boolean) => void;
  onUndo: () => void;
  /** A larger brush (1) or a smaller one (-1). */
  onSize: (step: number) => void;
}

/** The strokes let the image shine through. */
const STROKE_ALPHA = 0.6;
/** Without a mouse the brush goes by this share of its diameter. */
const KEY_STEP = 0.5;

/** The stroke that is being painted, and where the brush is: by pointer and by keyboard alike. */
export class Painting {
  readonly #events: PaintEvents;
  #brush: Brush | null = null;
  #points: Point[] = [];
  #erasing = false;
  /** Where the brush is; `null` where it is not over the image. */
  #at: Point | null = null;
  /** The keyboard has put the brush down. */
  #down = false;

  constructor(events: PaintEvents) {
    this.#events = events;
  }

  get brush(): Brush | null {
    return this.#brush;
  }

  set brush(brush: Brush | null) {
    this.#brush = brush;
    if (brush === null) this.leave();
  }

  /** Whether a stroke is being painted. */
  get busy(): boolean {
    return this.#points.length > 0;
  }

  /** The brush is over a place; while it is down it paints there. */
  hover(at: Point | null): void {
    if (!this.#down) this.#at = at;
  }

  /** No image to paint on any more: what was begun is forgotten. */
  leave(): void {
    this.cancel();
    this.#at = null;
  }

  begin(at: Point, erasing: boolean): void {
    this.#erasing = erasing;
    this.#down = false;
    this.#points = [at];
    this.#at = at;
  }

  go(at: Point): void {
    const last = this.#points[this.#points.length - 1];
    this.#at = at;
    if (last !== undefined && (last.x !== at.x || last.y !== at.y)) this.#points.push(at);
  }

  /** The brush is lifted: the stroke is done. */
  end(): void {
    const [points, erasing, brush] = [this.#points, this.#erasing, this.#brush];
    this.cancel();
    if (brush !== null && points.length > 0) this.#events.onStroke({ points, diameter: brush.diameter }, erasing);
  }

  cancel(): void {
    this.#points = [];
    this.#down = false;
  }

  /**
   * Moves the brush by the keyboard, from the middle of the image where it was nowhere; whether the key meant something.
   *
   * @param arrow - where an arrow key points, or `[0, 0]`.
   */
  key(key: string, [dx, dy]: readonly [number, number], image: Size): boolean {
    const brush = this.#brush;
    if (brush === null) return false;
    const at = this.#at ?? { x: Math.floor(image.width / 2) + 0.5, y: Math.floor(image.height / 2) + 0.5 };
    if (dx !== 0 || dy !== 0) {
      const step = Math.max(1, Math.round(brush.diameter * KEY_STEP));
      const to = { x: within(at.x + dx * step, image.width), y: within(at.y + dy * step, image.height) };
      if (this.#down) this.go(to);
      this.#at = to;
      return true;
    }
    switch (key) {
      case ' ':
        if (this.#down) this.end();
        else {
          this.begin(at, brush.erasing);
          this.#down = true;
        }
        return true;
      case 'Escape':
        if (!this.busy) return false;
        this.cancel();
        return true;
      case 'Backspace':
        this.#events.onUndo();
        return true;
      case '[':
      case ']':
        this.#events.onSize(key === ']' ? 1 : -1);
        return true;
      default:
        return false;
    }
  }

  /** Where the brush is, to be kept in sight. */
  get at(): Point | null {
    return this.#at;
  }

  /** @param all - what was painted before too, not only what is being painted. */
  draw(context: CanvasRenderingContext2D, placement: Placement, all: boolean): void {
    const brush = this.#brush;
    if (brush === null) return;
    context.save();
    context.lineCap = 'round';
    context.lineJoin = 'round';
    if (all) for (const stroke of brush.strokes) drawStroke(context, stroke, placement);
    if (this.busy) {
      const colour = this.#erasing ? '#ffffff' : brush.colour;
      drawStroke(context, { points: this.#points, diameter: brush.diameter, colour }, placement);
    }
    if (this.#at !== null) drawRing(context, this.#at, brush, placement);
    context.restore();
  }
}

function drawStroke(context: CanvasRenderingContext2D, { points, diameter, colour }: PaintedStroke, at: Placement): void {
  context.beginPath();
  points.forEach(({ x, y }, i) => {
    const [u, v] = [at.x + x * at.scale, at.y + y * at.scale];
    if (i === 0) context.moveTo(u, v);
    // A line to where it begins is a dot.
    context.lineTo(u, v);
  });
  context.globalAlpha = STROKE_ALPHA;
  context.strokeStyle = colour;
  context.lineWidth = Math.max(diameter * at.scale, 2 * at.density);
  context.stroke();
}

/** The rim of the brush: a light line in a dark one is seen on any ground. */
function drawRing(context: CanvasRenderingContext2D, { x, y }: Point, brush: Brush, at: Placement): void {
  const radius = Math.max((brush.diameter * at.scale) / 2, 3 * at.density);
  context.globalAlpha = 1;
  context.setLineDash(brush.erasing ? [4 * at.density, 3 * at.density] : []);
  for (const [width, colour] of [[3, 'rgb(0 0 0 / 0.7)'], [1.25, brush.erasing ? '#ffffff' : brush.colour]] as const) {
    context.beginPath();
    context.arc(at.x + x * at.scale, at.y + y * at.scale, radius, 0, 2 * Math.PI);
    context.lineWidth = width * at.density;
    context.strokeStyle = colour;
    context.stroke();
  }
}

function within(value: number, side: number): number {
  return Math.min(Math.max(value, 0.5), side - 0.5);
}

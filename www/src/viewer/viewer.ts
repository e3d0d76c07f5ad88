import { h } from '../dom.js';
import { t } from '../language/index.js';
import { type BrushStep, listenToGestures, type Tool } from './gestures.js';
import type { Layer } from './layers.js';
import { type Brush, Painting } from './painting.js';
import type { Picture } from './picture.js';
import { drawScene } from './scene.js';
import type { Stroke } from './stroke.js';
import { Viewport } from './viewport.js';
import type { Preset, Window } from './window-level.js';

/** Of the frame's width that a drag crosses: so many grey values. */
const WINDOW_PER_FRAME = 320;
const KEY_ZOOM = 1.25;
const KEY_PAN = 48;
const KEY_WINDOW = 8;
/** Where each arrow points. */
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Slices of a series, on and back. */
const SLICE_KEYS: Readonly<Record<string, number>> = {
  PageDown: 1,
  PageUp: -1,
  '.': 1,
  ',': -1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** What lies over the image. */
export interface Look {
  layers: readonly Layer[];
  /** Boxes below it are not drawn, 0..1. */
  threshold: number;
}

export interface ViewerEvents {
  /** Zoom, window or tool has changed. */
  onView: () => void;
  /** The wheel or a key goes to another slice; whether there are any. */
  onSlice: (step: number) => boolean;
  /** The pointer is over this place of the image, or (`null`) over none. */
  onHover: (at: { x: number; y: number } | null) => void;
  /** A stroke was painted, or (`erasing`) goes over those that are to be taken away. */
  onStroke: (stroke: Stroke, erasing: boolean) => void;
  /** The last stroke is to be taken back. */
  onUndo: () => void;
  /** A larger brush (1) or a smaller one (-1). */
  onBrushSize: (step: number) => void;
}

/** Shows the image with masks and boxes, as sharp as the screen is, and lets the reader look around in it. */
export class Viewer {
  readonly element = h('canvas', { class: 'picture', tabindex: 0, role: 'img', 'aria-describedby': 'viewer-keys' });
  readonly viewport = new Viewport();
  readonly #events: ViewerEvents;
  readonly #painting: Painting;
  /** What a drag did before the reader took up the brush. */
  #before: Exclude<Tool, 'brush'>;
  #picture: Picture | null = null;
  #look: Look = { layers: [], threshold: 0 };
  #overlays = true;
  #tool: Tool;
  #scheduled = false;

  constructor(events: ViewerEvents) {
    this.#events = events;
    // A finger moves the image as it does everywhere else; a mouse has a wheel and a second button for that.
    this.#before = matchMedia('(pointer: coarse)').matches ? 'pan' : 'window';
    this.#tool = this.#before;
    this.#painting = new Painting({ onStroke: events.onStroke, onUndo: events.onUndo, onSize: events.onBrushSize });
    new ResizeObserver(() => {
      this.viewport.setFrame({ width: this.element.clientWidth, height: this.element.clientHeight });
      this.#changed();
    }).observe(this.element);
    listenToGestures(this.element, {
      tool: () => this.#tool,
      onPan: (dx, dy) => this.#move(() => this.viewport.pan(dx, dy)),
      onZoom: (factor, x, y) => this.#move(() => this.viewport.zoom(factor, x, y)),
      onWindow: (dx, dy) => {
        const step = WINDOW_PER_FRAME / Math.max(200, this.element.clientWidth);
        this.adjustWindow(dx * step, dy * step);
      },
      onBrush: (step) => this.#paint(step),
      onStep: (step) => events.onSlice(step),
      onHover: (x, y) => this.#hover(this.#picture === null ? null : this.viewport.toImage(x, y)),
      onLeave: () => this.#hover(null),
      onDoubleClick: () => {
        // Two dabs of a brush are no double click.
        if (this.#tool !== 'brush') this.fit();
      },
    });
    this.element.addEventListener('keydown', (event) => {
      const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z';
      if (undo && this.#tool === 'brush') events.onUndo();
      else if (event.altKey || event.ctrlKey || event.metaKey || !this.#key(event)) return;
      event.preventDefault();
    });
    // A brush that the keyboard put down is not down for ever.
    this.element.addEventListener('blur', () => {
      this.#painting.leave();
      this.#changed();
    });
  }

  get picture(): Picture | null {
    return this.#picture;
  }

  get look(): Look {
    return this.#look;
  }

  /** Whether masks and boxes are shown. */
  get overlays(): boolean {
    return this.#overlays;
  }

  get tool(): Tool {
    return this.#tool;
  }

  /** Shows an image, without anything over it. */
  show(picture: Picture, name: string): void {
    this.#picture = picture;
    this.#painting.leave();
    this.#look = { ...this.#look, layers: [] };
    this.element.setAttribute('aria-label', t('viewer.label', { name, width: picture.width, height: picture.height }));
    this.viewport.setImage(picture);
    this.#changed();
  }

  /** Shows another slice of what is shown: through the same window, at the same place. */
  next(picture: Picture, name: string): void {
    const before = this.#picture;
    const same = before !== null && before.width === picture.width && before.height === picture.height;
    if (before === null || !same) {
      this.show(picture, name);
      return;
    }
    picture.window = before.window;
    picture.inverted = before.inverted;
    this.#picture = picture;
    this.#painting.cancel();
    this.#look = { ...this.#look, layers: [] };
    this.element.setAttribute('aria-label', t('viewer.label', { name, width: picture.width, height: picture.height }));
    this.#changed();
  }

  clear(): void {
    this.#picture = null;
    this.#look = { ...this.#look, layers: [] };
    this.#changed();
  }

  /** Changes what lies over the image. */
  setLook(look: Look): void {
    this.#look = look;
    this.#changed();
  }

  setTool(tool: Tool): void {
    if (tool === 'brush' && this.#painting.brush === null) return;
    if (tool !== 'brush') {
      this.#before = tool;
      this.#painting.leave();
    }
    this.#tool = tool;
    this.#changed();
  }

  /** What there is to paint with. */
  get brush(): Brush | null {
    return this.#painting.brush;
  }

  /** Gives the reader a brush, another one, or (`null`) takes it away. Whoever is given one paints. */
  setBrush(brush: Brush | null): void {
    const before = this.#painting.brush;
    if (brush === null && before === null) return;
    this.#painting.brush = brush;
    if (brush === null) this.#tool = this.#before;
    else if (before === null) this.#tool = 'brush';
    this.#changed();
  }

  toggleOverlays(): void {
    this.#overlays = !this.#overlays;
    this.#changed();
  }

  invert(): void {
    if (this.#picture !== null) this.#picture.inverted = !this.#picture.inverted;
    this.#changed();
  }

  preset(preset: Preset): void {
    this.#picture?.preset(preset);
    this.#changed();
  }

  /** Takes a window of the file, for instance. */
  setWindow(window: Window): void {
    if (this.#picture !== null) this.#picture.window = window;
    this.#changed();
  }

  /** Widens and raises the window, in grey levels of the screen. */
  adjustWindow(width: number, level: number): void {
    if (this.#picture === null) return;
    const { window, step } = this.#picture;
    this.#picture.window = { width: window.width + width * step, level: window.level + level * step };
    this.#changed();
  }

  /** The image whole, as it came. */
  reset(): void {
    if (this.#picture !== null) {
      this.#picture.window = this.#picture.start;
      this.#picture.inverted = false;
    }
    this.fit();
  }

  fit(): void {
    this.#move(() => this.viewport.fit());
  }

  zoom(factor: number): void {
    this.#move(() => this.viewport.zoom(factor));
  }

  actualSize(): void {
    this.#move(() => this.viewport.actualSize(window.devicePixelRatio || 1));
  }

  #move(change: () => void): void {
    if (this.#picture === null) return;
    change();
    this.#changed();
  }

  #hover(at: { x: number; y: number } | null): void {
    this.#events.onHover(at);
    if (this.#tool !== 'brush') return;
    this.#painting.hover(at);
    this.#draws();
  }

  #paint(step: BrushStep): void {
    if (this.#picture === null) return;
    if (step.do === 'down') this.#painting.begin(this.viewport.toImage(step.x, step.y), step.erasing || this.brush?.erasing === true);
    else if (step.do === 'go') this.#painting.go(this.viewport.toImage(step.x, step.y));
    else if (step.do === 'up') this.#painting.end();
    else this.#painting.cancel();
    this.#draws();
  }

  /** Paints by the keyboard; whether the key meant something. */
  #paintKey(key: string, arrow: readonly [number, number]): boolean {
    if (this.#picture === null || this.#tool !== 'brush' || !this.#painting.key(key, arrow, this.#picture)) return false;
    const { at } = this.#painting;
    if (at !== null) this.viewport.reveal(at.x, at.y);
    this.#events.onHover(at);
    this.#changed();
    return true;
  }

  /** Whether the key meant something. */
  #key(event: KeyboardEvent): boolean {
    const [x, y] = ARROWS[event.key] ?? [0, 0];
    if (!event.shiftKey && this.#paintKey(event.key, [x, y])) return true;
    if (x !== 0 || y !== 0) {
      if (event.shiftKey) this.adjustWindow(x * KEY_WINDOW, -y * KEY_WINDOW);
      else this.#move(() => this.viewport.pan(-x * KEY_PAN, -y * KEY_PAN));
      return true;
    }
    const slices = SLICE_KEYS[event.key];
    if (slices !== undefined) return this.#events.onSlice(slices);
    const actions: Record<string, () => void> = {
      '+': () => this.zoom(KEY_ZOOM),
      '=': () => this.zoom(KEY_ZOOM),
      '-': () => this.zoom(1 / KEY_ZOOM),
      '0': () => this.fit(),
      '1': () => this.actualSize(),
      i: () => this.invert(),
      o: () => this.toggleOverlays(),
      r: () => this.reset(),
      w: () => this.setTool('window'),
      h: () => this.setTool('pan'),
      b: () => this.setTool('brush'),
    };
    const action = actions[event.key.toLowerCase()];
    action?.();
    return action !== undefined;
  }

  #changed(): void {
    this.element.dataset['tool'] = this.#tool;
    // While the whole image is seen a finger that moves up or down scrolls the page past it.
    this.element.dataset['scroll'] = String(this.#tool === 'pan' && this.viewport.fitted);
    this.#events.onView();
    this.#draws();
  }

  /** Draws with the next frame. */
  #draws(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    const density = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.element;
    const [width, height] = [Math.max(1, Math.round(clientWidth * density)), Math.max(1, Math.round(clientHeight * density))];
    if (this.element.width !== width || this.element.height !== height) {
      this.element.width = width;
      this.element.height = height;
    }
    const context = this.element.getContext('2d');
    if (context === null) return;
    context.clearRect(0, 0, width, height);
    if (this.#picture === null) return;
    const { scale, x, y } = this.viewport;
    const { layers, threshold } = this.#look;
    const placement = { scale: scale * density, x: x * density, y: y * density, density };
    drawScene(context, { picture: this.#picture, layers: this.#overlays ? layers : [], threshold }, placement);
    this.#painting.draw(context, placement, this.#overlays);
  }
}

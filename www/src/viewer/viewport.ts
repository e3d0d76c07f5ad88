/** A width and a height. */
export interface Size {
  width: number;
  height: number;
}

/** How many screen pixels an image pixel may become; beyond it nothing is learnt. */
const LARGEST_SCALE = 64;
/** Of the scale at which the image fits: smaller it is only lost. */
const SMALLEST_OF_FIT = 0.5;
/** So much of the image stays in sight, in pixels of the screen. */
const KEPT = 48;

/** Where the image lies in its frame: `screen = image · scale + offset`, all in CSS pixels. Pure arithmetic. */
export class Viewport {
  scale = 1;
  x = 0;
  y = 0;
  #frame: Size = { width: 1, height: 1 };
  #image: Size = { width: 1, height: 1 };
  /** Whether the image follows the frame's size until the reader zooms. */
  #fitted = true;

  get fitted(): boolean {
    return this.#fitted;
  }

  /** The scale at which the whole image is seen. */
  get fitScale(): number {
    return Math.min(this.#frame.width / this.#image.width, this.#frame.height / this.#image.height);
  }

  setImage(image: Size): void {
    this.#image = image;
    this.fit();
  }

  setFrame(frame: Size): void {
    const middle = this.toImage(this.#frame.width / 2, this.#frame.height / 2);
    this.#frame = frame;
    if (this.#fitted) this.fit();
    else this.#centre(middle.x, middle.y);
  }

  fit(): void {
    this.scale = this.fitScale;
    this.#centre(this.#image.width / 2, this.#image.height / 2);
    this.#fitted = true;
  }

  /** One image pixel for one of the screen's. */
  actualSize(density: number): void {
    this.zoom(1 / density / this.scale, this.#frame.width / 2, this.#frame.height / 2);
  }

  /** Zooms by a factor; the image's point under (x, y) stays there. */
  zoom(factor: number, x = this.#frame.width / 2, y = this.#frame.height / 2): void {
    const fixed = this.toImage(x, y);
    const smallest = Math.min(this.fitScale * SMALLEST_OF_FIT, 1);
    this.scale = Math.min(Math.max(this.scale * factor, smallest), LARGEST_SCALE);
    this.x = x - fixed.x * this.scale;
    this.y = y - fixed.y * this.scale;
    this.#fitted = false;
    this.#keep();
  }

  pan(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
    this.#fitted = false;
    this.#keep();
  }

  /** Moves the image, if it must, so that one of its points is in sight. */
  reveal(x: number, y: number): void {
    const into = (at: number, side: number): number => Math.min(Math.max(at, Math.min(KEPT, side / 2)), Math.max(side - KEPT, side / 2)) - at;
    const [dx, dy] = [into(x * this.scale + this.x, this.#frame.width), into(y * this.scale + this.y, this.#frame.height)];
    // The image as a whole, fitted, is in sight up to its rim.
    if (!this.#fitted && (dx !== 0 || dy !== 0)) this.pan(dx, dy);
  }

  /** The image's point under a point of the frame. */
  toImage(x: number, y: number): { x: number; y: number } {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  #centre(x: number, y: number): void {
    this.x = this.#frame.width / 2 - x * this.scale;
    this.y = this.#frame.height / 2 - y * this.scale;
  }

  #keep(): void {
    const [wide, high] = [this.#image.width * this.scale, this.#image.height * this.scale];
    this.x = Math.min(Math.max(this.x, KEPT - wide), this.#frame.width - KEPT);
    this.y = Math.min(Math.max(this.y, KEPT - high), this.#frame.height - KEPT);
  }
}

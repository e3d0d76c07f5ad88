/** Asks before the page is left with marks that were not exported: they live in its memory alone. */
export class UnsavedMarks {
  #unsaved = false;

  constructor() {
    window.addEventListener('beforeunload', (event) => {
      if (this.#unsaved) event.preventDefault();
    });
  }

  /** The reader has marked an image. */
  marked(): void {
    this.#unsaved = true;
  }

  /** The list with its marks was exported, or is gone. */
  settled(): void {
    this.#unsaved = false;
  }
}

import type { MedleyError } from '../errors.js';

/** The words of the element; a page in another language gives its own. */
export interface ViewerMessages {
  /** Where no image is yet. */
  drop: string;
  /** On the button that opens the browser's dialog. */
  choose: string;
  /** On the same button beside an image. */
  another: string;
  /** On the button that cancels what runs. */
  cancel: string;
  /** While the model is on its way. */
  loading: string;
  /** When the model can be asked. */
  ready: string;
  /** While an image is answered. */
  analysing: string;
  /** When the reader cancelled. */
  cancelled: string;
  /** When an image is answered. */
  done: string;
  /** Names the list of answers. */
  results: string;
  /** Names the image for who does not see it. */
  image: string;
  /** Beside the switch that draws a task over the image. */
  show: string;
  /** Where a mask is empty or there is no box. */
  none: string;
  /** After the number of boxes of a class. */
  things: string;
  /** Stands over whatever failed; what `explain` makes of it stands below. */
  failure: string;
  /** What an error says: its own English, or another language's words for its `code` and `detail`. */
  explain: (error: MedleyError) => string;
  /** What a task or a class of the model is called. */
  nameOf: (name: string) => string;
}

/** What is said where nothing else is given. */
export const ENGLISH: Readonly<ViewerMessages> = {
  drop: 'Drop an image here',
  choose: 'Choose an image',
  another: 'Another image',
  cancel: 'Cancel',
  loading: 'Loading the model',
  ready: 'The model is ready',
  analysing: 'Analysing',
  cancelled: 'Cancelled',
  done: 'The answers are there',
  results: 'Answers',
  image: 'The image, with the answers drawn over it',
  show: 'Show',
  none: 'nothing found',
  things: 'found',
  failure: 'That did not work',
  explain: (error) => error.message,
  nameOf: (name) => name,
};

import type { MedleyError } from '../errors.js';

/** The words of the element; a page in another language gives its own. */
export interface ViewerMessages {
  drop: string;
  choose: string;
  another: string;
  cancel: string;
  loading: string;
  ready: string;
  analysing: string;
  cancelled: string;
  done: string;
  results: string;
  image: string;
  show: string;
  none: string;
  things: string;
  /** Stands over whatever failed; what {@link explain} makes of it stands below. */
  failure: string;
  /** What an error says: its own English, or another language's words for its `code` and `detail`. */
  explain: (error: MedleyError) => string;
  /** What a task or a class of the model is called. */
  nameOf: (name: string) => string;
}

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

import { MedleyError } from '@medley/web';

/** What the page says of a failure: what happened, and what the reader can do. */
export interface Message {
  title: string;
  advice: string;
  /** The error's own words. */
  detail: string;
}

/** What went wrong, in the reader's words. */
export function describe(error: unknown): Message {
  const detail = error instanceof Error ? error.message : String(error);
  const code = error instanceof MedleyError ? error.code : 'internal';
  switch (code) {
    case 'image':
      return {
        title: 'This image cannot be read',
        advice: 'Choose a PNG or JPEG file that other programs can open.',
        detail,
      };
    case 'network':
      return {
        title: 'A file of the model could not be fetched',
        advice: 'Check the connection, then load the model again.',
        detail,
      };
    case 'integrity':
    case 'package':
      return {
        title: 'The model’s files are damaged',
        advice: 'They were not used. Load the model again; if it happens again, the copy on the server is wrong.',
        detail,
      };
    case 'unsupported':
      return {
        title: 'This browser cannot run the model that way',
        advice: 'Choose “Automatic”, or use a current Chrome, Edge, Firefox or Safari.',
        detail,
      };
    case 'backend':
      return {
        title: 'The model did not pass its self-test on this device',
        advice: 'Its answers could be wrong, so it gives none. Try another browser, or report it with the details.',
        detail,
      };
    case 'memory':
      return {
        title: 'This device has not enough memory for that',
        advice: 'Try a smaller image or fewer tasks, or close other tabs and programs.',
        detail,
      };
    case 'crashed':
      return {
        title: 'The model stopped in the middle of its work',
        advice: 'It is being loaded anew. If it happens with the same image again, try a smaller one.',
        detail,
      };
    case 'unknown-task':
      return { title: 'The model does not have this task', advice: 'Choose among the tasks below.', detail };
    default:
      return { title: 'Something went wrong', advice: 'Try again; if it happens again, report it with the details.', detail };
  }
}

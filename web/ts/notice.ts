/** What must be visible wherever an answer of a Medley model is shown. */
export const NOTICE = 'Research use only. Not for diagnostic use.';

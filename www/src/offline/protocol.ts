/** A request that the page or one of its workers has made. */
export interface Traffic {
  type: 'traffic';
  method: string;
  url: string;
  /** In the body and in the address's query. */
  bytes: number;
}

/** All files for a visit without a network are kept (or, where not `whole`, some could not be). */
export interface Kept {
  type: 'kept';
  whole: boolean;
}

export type FromWorker = Traffic | Kept;

/** Asks for all files to be kept. */
export interface ToWorker {
  type: 'keep';
}

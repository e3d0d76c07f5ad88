import { MedleyError } from '../errors.js';
import { absolute } from '../addresses.js';
import type { Ask, FoundAttributes } from './protocol.js';
import { type DicomChannel, type DicomUrls, startReader } from './reader.js';

/** How a server is reached. */
export interface DicomWebOptions {
  /** Asked for a bearer token before each request; `null` for a request without one. */
  token?: () => string | null | Promise<string | null>;
  /** Where the package's own files are, if not beside its scripts. */
  urls?: DicomUrls;
}

/** Search keys: keywords or tags, as `{ PatientID: '42' }`; `limit`, `offset` and `includefield` work too. */
export type DicomQuery = Readonly<Record<string, string | number>>;

/** Something that a search found. */
export interface DicomFound {
  /** Study Instance UID. */
  study: string;
  /** Series Instance UID, of series and instances. */
  series: string | null;
  /** SOP Instance UID, of instances. */
  instance: string | null;
  /** As "CT", where the server says it. */
  modality: string | null;
  /** All attributes by tag in eight hexadecimal digits, as `0020000D`. */
  attributes: FoundAttributes;
}

interface Call {
  /** Cancels: the promise rejects with the signal's reason, and the request is given up. */
  signal?: AbortSignal;
}

/**
 * A DICOMweb server: search (QIDO-RS), retrieval (WADO-RS), and storing (STOW-RS) where it is asked for. Requests are
 * sent from the worker by `fetch`, so the page's policy must allow the server in `connect-src`, and a server of
 * another origin must allow the page (CORS).
 *
 * Everything rejects with a {@link MedleyError}: `dicomweb` where the server refuses or answers what is of no use,
 * `network` where it cannot be reached. Texts repeat neither addresses nor identifiers.
 */
export class DicomWeb {
  readonly #base: string;
  readonly #options: DicomWebOptions;
  #channel: Promise<DicomChannel> | null = null;

  /** @param base - the address of the server's DICOMweb interface, as `/dicom-web`; relative to the page. */
  constructor(base: string | URL, options: DicomWebOptions = {}) {
    this.#base = absolute(base);
    this.#options = options;
  }

  /** Searches for studies. */
  searchStudies(query: DicomQuery = {}, call: Call = {}): Promise<DicomFound[]> {
    return this.#search({ what: 'studies', query: pairs(query) }, call);
  }

  /** Searches for the series of a study. */
  searchSeries(study: string, query: DicomQuery = {}, call: Call = {}): Promise<DicomFound[]> {
    return this.#search({ what: 'series', study, query: pairs(query) }, call);
  }

  /** Searches for the instances of a series. */
  searchInstances(study: string, series: string, query: DicomQuery = {}, call: Call = {}): Promise<DicomFound[]> {
    return this.#search({ what: 'instances', study, series, query: pairs(query) }, call);
  }

  /** Retrieves all files of a study, of a series, or one file, for `openDicom`. */
  async retrieve(uids: readonly [string, string?, string?], call: Call = {}): Promise<Blob[]> {
    const ask: Ask = { what: 'retrieve', uids: uids.filter((uid) => uid !== undefined) };
    const parts = await this.#call('retrieve', ask, call);
    return parts.map((part) => new Blob([part], { type: 'application/dicom' }));
  }

  /** Retrieves frames of an image, counted from 1: their samples, uncompressed, little endian. */
  retrieveFrames(
    uids: readonly [study: string, series: string, instance: string],
    frames: readonly number[],
    call: Call = {},
  ): Promise<Uint8Array[]> {
    return this.#call('retrieve', { what: 'frames', uids: [...uids], frames: [...frames] }, call);
  }

  /** Stores objects. This is the one call that sends anything but questions; nothing else in the package calls it. */
  async store(objects: readonly Blob[], { signal }: Call = {}): Promise<{ stored: number; failed: number }> {
    const channel = await this.#reader();
    const token = await this.#token();
    return channel.call('store', { base: this.#base, token, objects: [...objects] }, { signal });
  }

  /** Frees the worker; running calls reject. */
  dispose(): void {
    const reason = new MedleyError('disposed', 'the DICOMweb server was let go of; make it anew');
    void this.#channel?.then((channel) => channel.close(reason), () => {});
    this.#channel = Promise.reject(reason);
    this.#channel.catch(() => {});
  }

  async #search(ask: Ask, call: Call): Promise<DicomFound[]> {
    const found = await this.#call('search', ask, call);
    const first = (of: FoundAttributes, tag: string): string | null => {
      const value = of[tag]?.Value?.[0];
      return typeof value === 'string' ? value : null;
    };
    return found.map((attributes) => ({
      study: first(attributes, '0020000D') ?? ('study' in ask ? ask.study : ''),
      series: first(attributes, '0020000E') ?? (ask.what === 'instances' ? ask.series : null),
      instance: first(attributes, '00080018'),
      modality: first(attributes, '00080060'),
      attributes,
    }));
  }

  async #call<Name extends 'search' | 'retrieve'>(name: Name, ask: Ask, { signal }: Call) {
    const channel = await this.#reader();
    const token = await this.#token();
    return channel.call(name, { base: this.#base, token, ask }, { signal });
  }

  async #token(): Promise<string | null> {
    return (await this.#options.token?.()) ?? null;
  }

  /** One that failed to start is started anew with the next call. */
  #reader(): Promise<DicomChannel> {
    this.#channel ??= startReader(this.#options.urls ?? {}).catch((error: unknown) => {
      this.#channel = null;
      throw error;
    });
    return this.#channel;
  }
}

function pairs(query: DicomQuery): [string, string][] {
  return Object.entries(query).map(([key, value]) => [key, String(value)]);
}

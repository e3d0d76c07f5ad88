import type { RawImage } from '../images.js';
import type { DicomChannel } from './reader.js';
import type { FrameValues, SliceWindow, StoredSamples } from './protocol.js';
import type { HeaderEntry, ProblemDescription, SeriesDescription, SliceDescription, WindowDescription } from './rust-types.js';

interface Call {
  /** Cancels: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** One slice of a series: a frame of a file. */
export class DicomSlice {
  /** What the file says of the frame; nothing in it names anybody. */
  readonly description: SliceDescription;
  /** Name of the file. */
  readonly file: string;
  readonly #channel: DicomChannel;

  /** @internal */
  constructor(channel: DicomChannel, description: SliceDescription, file: string) {
    this.#channel = channel;
    this.description = description;
    this.file = file;
  }

  /** In pixels. */
  get width(): number {
    return this.description.width;
  }

  /** In pixels. */
  get height(): number {
    return this.description.height;
  }

  /** Windows of the file, the one to begin with first. */
  get windows(): readonly WindowDescription[] {
    return this.description.windows;
  }

  /**
   * The slice as the model sees it, for `model.analyze` and all other calls that take an image. By default as the
   * file says first, which is what the command line takes.
   */
  async image(options: Call & { window?: SliceWindow } = {}): Promise<RawImage> {
    const { signal, window = 'default' } = options;
    const { width, height, channels, data } = await this.#channel.call('pixels', { ...this.#place, window }, { signal });
    const { pixelArea, frames, frame } = this.description;
    return {
      data,
      width,
      height,
      channels,
      ...(pixelArea === null ? {} : { pixelArea }),
      ...(frames > 1 ? { frame: frame + 1 } : {}),
    };
  }

  /** The slice through a window, for a screen. */
  async render(window: SliceWindow = 'default', options: Call = {}): Promise<ImageData> {
    const { width, height, rgba } = await this.#channel.call('rgba', { ...this.#place, window }, options);
    return new ImageData(new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.byteLength), width, height);
  }

  /**
   * Values after the modality transform (Hounsfield units of CT), for reading them out and for windows of one's own.
   *
   * @throws {@link MedleyError} `dicom` for colours; `description.grey` says whether it is grey.
   */
  async values(options: Call = {}): Promise<FrameValues> {
    return this.#channel.call('values', this.#place, options);
  }

  /** Samples as the file stores them, up to 32 bits. */
  async stored(options: Call = {}): Promise<StoredSamples> {
    return this.#channel.call('stored', this.#place, options);
  }

  /**
   * The header in words. What says who, where or when comes only where it is asked for, and is for the eyes of the
   * person who asked: this package writes it nowhere.
   */
  async header(options: Call & { personal?: boolean } = {}): Promise<HeaderEntry[]> {
    const { signal, personal = false } = options;
    return this.#channel.call('header', { source: this.description.source, personal }, { signal });
  }

  get #place(): { source: number; frame: number } {
    const { source, frame } = this.description;
    return { source, frame };
  }
}

/** Slices that belong together, from one end to the other. */
export class DicomSeries {
  /** Series Instance UID. */
  readonly uid: string;
  /** Study Instance UID. */
  readonly study: string;
  /** As "CT"; `null` if the files do not say. */
  readonly modality: string | null;
  /** Usual distance between neighbours in millimetres; `null` if the files do not say. */
  readonly distance: number | null;
  /** What is not as it should be: missing slices, slices at one place. */
  readonly problems: readonly ProblemDescription[];
  /** In order of their position, else of their numbers. */
  readonly slices: readonly DicomSlice[];
  /** @internal */
  readonly channel: DicomChannel;

  /** @internal */
  constructor(channel: DicomChannel, study: string, described: SeriesDescription, files: readonly string[]) {
    this.channel = channel;
    this.study = study;
    this.uid = described.uid;
    this.modality = described.modality;
    this.distance = described.distance;
    this.problems = described.problems;
    this.slices = described.slices.map((slice) => new DicomSlice(channel, slice, files[slice.source] ?? ''));
  }
}

import { fromErrorData, MedleyError } from '../errors.js';
import type { DicomChannel, DicomUrls } from './reader.js';
import { startReader } from './reader.js';
import type { FileInfo, ImageInfo } from './rust-types.js';
import { DicomSeries } from './series.js';

/** How files are opened. */
export interface OpenOptions {
  /** Cancels: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** How many of the files are read, as a share. */
  onProgress?: (progress: { fraction: number }) => void;
  /** Where the package's own files are, if not beside its scripts. */
  urls?: DicomUrls;
}

/** A file that could not be used, and why. The error's text repeats nothing of the file. */
export interface FailedFile {
  /** Its name, of an entry of an archive that of the entry. */
  name: string;
  /** What is wrong with it. */
  error: MedleyError;
}

/** All series of one examination. */
export interface DicomStudy {
  /** Study Instance UID. */
  uid: string;
  /** Its series with images. */
  series: DicomSeries[];
}

/** Files that were opened together, sorted. `dispose()` frees the worker that holds them. */
export class DicomFiles {
  /** By examination. */
  readonly studies: readonly DicomStudy[];
  /** What is neither DICOM nor an archive, those out of archives included: PNG and JPEG files, for instance. */
  readonly others: readonly File[];
  /** How many objects have no image: reports, plans, directories. */
  readonly withoutImage: number;
  /** Files that are damaged or of a kind that is not read. */
  readonly failed: readonly FailedFile[];
  readonly #channel: DicomChannel;

  /** @internal */
  constructor(channel: DicomChannel, of: Pick<DicomFiles, 'studies' | 'others' | 'withoutImage' | 'failed'>) {
    this.#channel = channel;
    this.studies = of.studies;
    this.others = of.others;
    this.withoutImage = of.withoutImage;
    this.failed = of.failed;
  }

  /** The series of all studies. */
  get series(): DicomSeries[] {
    return this.studies.flatMap((study) => study.series);
  }

  /** Frees the worker and its memory; running calls reject. */
  dispose(): void {
    this.#channel.close(new MedleyError('disposed', 'the DICOM files were closed; open them again'));
  }
}

/**
 * Opens DICOM files, ZIP archives of them, or both, and sorts what is in them into studies, series and slices. The
 * content decides what a file is, not its name. Files are read where they are; nothing leaves this device.
 *
 * A file that cannot be used does not keep the others from being opened: see {@link DicomFiles.failed}.
 *
 * @throws {@link MedleyError} `network` where the reader itself cannot be fetched, `memory`, `crashed`.
 */
export async function openDicom(files: Blob | Iterable<Blob>, options: OpenOptions = {}): Promise<DicomFiles> {
  const { signal, onProgress, urls = {} } = options;
  const list = files instanceof Blob ? [files] : [...files];
  const names = list.map((file) => (file instanceof File ? file.name : ''));
  const channel = await startReader(urls, signal);
  try {
    const opened = await channel.call('open', { files: list, names }, {
      signal,
      onProgress: ({ fraction }) => onProgress?.({ fraction }),
    });
    return new DicomFiles(channel, {
      studies: opened.studies.map(({ uid, series }) => ({
        uid,
        series: series.map((described) => new DicomSeries(channel, uid, described, opened.names)),
      })),
      others: opened.others,
      withoutImage: opened.withoutImage,
      failed: opened.failed.map(({ name, error }) => ({ name, error: fromErrorData(error) })),
    });
  } catch (error) {
    channel.close(error);
    throw error;
  }
}

/**
 * Technical facts about a file with figures of its first frame: what `medley dicom info --json` prints. Nothing in
 * it names anybody.
 *
 * @throws {@link MedleyError} `dicom`.
 */
export async function dicomInfo(file: Blob, options: Pick<OpenOptions, 'signal' | 'urls'> = {}): Promise<DicomInfo> {
  const { signal, urls = {} } = options;
  const channel = await startReader(urls, signal);
  try {
    return (await channel.call('info', { file }, { signal })) as DicomInfo;
  } finally {
    channel.close(new MedleyError('disposed', 'the file was described'));
  }
}

/** See {@link dicomInfo}; the fields of an image are missing where the object has none. */
export type DicomInfo = FileInfo & Partial<ImageInfo>;

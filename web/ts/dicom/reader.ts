import { Channel } from '../channel.js';
import { absolute } from '../addresses.js';
import type { DicomCalls } from './protocol.js';

/** Where the DICOM files of this package are, if not beside its scripts; relative ones are relative to the page. */
export interface DicomUrls {
  /** `dist/dicom/worker.js`; of the page's own origin. */
  worker?: string | URL;
  /** `pkg/dicom/medley_web_dicom_bg.wasm`. */
  wasm?: string | URL;
}

/** Calls to a DICOM worker. */
export type DicomChannel = Channel<DicomCalls>;

/** Starts a worker with the DICOM reader. Failed or cancelled, nothing is left running. */
export async function startReader(urls: DicomUrls, signal?: AbortSignal): Promise<DicomChannel> {
  signal?.throwIfAborted();
  const worker =
    urls.worker === undefined
      ? // Written out: this form is what bundlers look for.
        new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'medley-dicom' })
      : new Worker(absolute(urls.worker), { type: 'module', name: 'medley-dicom' });
  // Named here and not in the worker: webpack 5 puts so large a file into a chunk of its own, and a worker then waits for that in vain.
  const wasm = urls.wasm === undefined ? new URL('../../pkg/dicom/medley_web_dicom_bg.wasm', import.meta.url).href : absolute(urls.wasm);
  const channel: DicomChannel = new Channel<DicomCalls>(worker);
  try {
    await channel.call('start', { wasm }, { signal });
    return channel;
  } catch (error) {
    channel.close(error);
    throw error;
  }
}

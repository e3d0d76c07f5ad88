import { breath } from '../breath.js';
import { said } from '../detail.js';
import { MedleyError, toErrorData } from '../errors.js';
import { CrashGuard } from '../guard.js';
import type { Cancel, Reply, RequestOf } from '../protocol.js';
import type { Ask, DicomCalls, Opened, SliceWindow } from './protocol.js';
import { sniff } from './sniff.js';
import { startDicom, type WasmDicomImage, type WasmModule, type WasmResults, type WasmStore } from './wasm.js';

/** The part of `DedicatedWorkerGlobalScope` that is used; the library's DOM types are the page's. */
interface Scope extends EventTarget {
  postMessage(message: Reply, transfer?: Transferable[]): void;
}

type Requests = RequestOf<DicomCalls>;
type Answer<Name extends keyof DicomCalls> = DicomCalls[Name]['answer'];

const scope = globalThis as unknown as Scope;
const guard = new CrashGuard(scope);
/** Headers are in the wasm memory, the files stay with the browser. */
let store: WasmStore | null = null;
const files: Blob[] = [];
const results = new Map<number, WasmResults>();
let nextId = 1;
let started: WasmModule | null = null;
/** The file that was shown last: going through the frames of one parses it once. */
let shown: { blob: Blob; image: WasmDicomImage } | null = null;

function wasm(): WasmModule {
  if (started === null) throw new MedleyError('internal', 'the DICOM reader is not started');
  return started;
}

async function bytesOf(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    const text = 'a file could not be read; it may have been moved or changed: choose it again';
    throw new MedleyError('dicom', said(text, 'file-unreadable'), { cause: error });
  }
}

async function open({ files: given, names }: DicomCalls['open']['request'], id: number): Promise<Opened> {
  const into = (store ??= new (wasm().WasmStore)());
  const opened: Opened = { studies: [], names: [], others: [], withoutImage: 0, failed: [] };
  /** One file; archives are opened one level deep. */
  const take = async (file: Blob, name: string, inArchive: boolean): Promise<void> => {
    stopIfCancelled(id);
    try {
      const kind = await sniff(file);
      if (kind === 'zip' && !inArchive) return await takeArchive(file);
      const became = kind === 'dicom' ? into.add(await bytesOf(file)) : 'other';
      if (became === 'image') {
        files.push(file);
        opened.names.push(name);
      } else if (became === 'no-image') {
        opened.withoutImage += 1;
      } else {
        opened.others.push(file instanceof File && !inArchive ? file : new File([file], name));
      }
    } catch (error) {
      const data = toErrorData(error);
      if (data.code === 'crashed' || data.code === 'memory' || error instanceof Cancelled) throw error;
      opened.failed.push({ name, error: data });
    }
  };
  const takeArchive = async (file: Blob): Promise<void> => {
    const archive = wasm().WasmArchive.open(await bytesOf(file));
    try {
      for (let i = 0; i < archive.length; i++) {
        const bytes = archive.unpack(i);
        // A blob's bytes are the browser's, which keeps large ones on the disk; the archive is let go of.
        if (bytes !== undefined) await take(new Blob([bytes]), baseName(archive.name(i)), true);
        await breath();
      }
    } finally {
      archive.free();
    }
  };
  for (const [i, file] of given.entries()) {
    await take(file, names[i] ?? '', false);
    scope.postMessage({ type: 'progress', id, progress: { fraction: (i + 1) / given.length } });
    await breath();
  }
  opened.studies = into.studies();
  return opened;
}

function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, '');
}

function headers(): WasmStore {
  if (store === null) throw new MedleyError('internal', 'no DICOM file was opened');
  return store;
}

async function image({ source }: { source: number }): Promise<WasmDicomImage> {
  const blob = files[source];
  if (blob === undefined) throw new MedleyError('internal', 'there is no such file');
  if (shown?.blob === blob) return shown.image;
  const bytes = await bytesOf(blob);
  shown?.image.free();
  shown = null;
  shown = { blob, image: wasm().WasmDicomImage.parse(bytes) };
  return shown.image;
}

function windowJson(window: SliceWindow): string {
  if (typeof window === 'string') return JSON.stringify(window);
  return JSON.stringify(typeof window === 'number' ? { index: window } : { custom: window });
}

async function send(base: string, token: string | null, ask: Ask, objects: Uint8Array[], id: number): Promise<[number, string, Uint8Array<ArrayBuffer>]> {
  const { method, url, headers, body } = wasm().webRequest(base, token ?? undefined, JSON.stringify(ask), objects);
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const response = await fetch(url, { method, headers, body: body ?? null, signal: controller.signal, credentials: 'same-origin' });
    return [response.status, response.headers.get('Content-Type') ?? '', new Uint8Array(await response.arrayBuffer())];
  } catch (error) {
    if (controller.signal.aborted) throw new Cancelled();
    // The browser's words may hold the address, and with it a name that was searched for.
    throw new MedleyError('network', 'the DICOMweb server cannot be reached; check its address, the connection, and that it allows this site (CORS)', { cause: error });
  } finally {
    running.delete(id);
  }
}

async function answer(message: Requests): Promise<unknown> {
  const { id } = message;
  switch (message.call) {
    case 'start': {
      started ??= await startDicom(message.request.wasm);
      return null satisfies Answer<'start'>;
    }
    case 'open':
      return open(message.request, id);
    case 'pixels':
      return (await image(message.request)).pixels(message.request.frame, windowJson(message.request.window));
    case 'rgba':
      return (await image(message.request)).rgba(message.request.frame, windowJson(message.request.window));
    case 'values':
      return (await image(message.request)).values(message.request.frame);
    case 'stored':
      return (await image(message.request)).stored(message.request.frame);
    case 'header':
      return headers().header(message.request.source, message.request.personal);
    case 'info':
      return wasm().dicomInfo(await bytesOf(message.request.file));
    case 'pool': {
      const { slices, embeddings, count } = message.request;
      const pooled = fill(slices);
      try {
        const embedding = wasm().poolMean(embeddings, count) ?? new Float32Array();
        return { classes: pooled.pooled(), embedding } satisfies Answer<'pool'>;
      } finally {
        pooled.free();
      }
    }
    case 'begin': {
      const number = nextId++;
      results.set(number, fill([]));
      return number satisfies Answer<'begin'>;
    }
    case 'add':
      addTo(answers(message.request.results), message.request.slice);
      return null satisfies Answer<'add'>;
    case 'write': {
      const { results: number, what, context } = message.request;
      const [of, text] = [answers(number), JSON.stringify(context)];
      return what === 'segmentation' ? of.segmentation(headers(), text) : of.report(headers(), text);
    }
    case 'drop':
      answers(message.request.results).free();
      results.delete(message.request.results);
      return null satisfies Answer<'drop'>;
    case 'search': {
      const { base, token, ask } = message.request;
      return wasm().readFound(...(await send(base, token, ask, [], id)));
    }
    case 'retrieve': {
      const { base, token, ask } = message.request;
      return wasm().readParts(...(await send(base, token, ask, [], id)));
    }
    case 'store': {
      const { base, token, objects } = message.request;
      const bytes = await Promise.all(objects.map(bytesOf));
      const [stored = 0, failed = 0] = wasm().readStored(...(await send(base, token, { what: 'store' }, bytes, id)));
      return { stored, failed } satisfies Answer<'store'>;
    }
  }
}

function answers(number: number): WasmResults {
  const found = results.get(number);
  if (found === undefined) throw new MedleyError('internal', 'there are no such results');
  return found;
}

function fill(slices: readonly DicomCalls['add']['request']['slice'][]): WasmResults {
  const made = new (wasm().WasmResults)();
  for (const slice of slices) addTo(made, slice);
  return made;
}

function addTo(to: WasmResults, { source, frame, results: of, masks }: DicomCalls['add']['request']['slice']): void {
  to.add(source, frame, JSON.stringify(of), masks);
}

/** Nobody waits for the call any more. */
class Cancelled extends Error {}

/** One call at a time: the wasm instance has one memory and one stack. */
let last: Promise<void> = Promise.resolve();
const cancelled = new Set<number>();
const running = new Map<number, AbortController>();

scope.addEventListener('message', (event) => {
  const message = (event as MessageEvent<Requests | Cancel>).data;
  if ('cancel' in message) {
    cancelled.add(message.cancel);
    running.get(message.cancel)?.abort();
    return;
  }
  last = last.then(() => serve(message));
});

function stopIfCancelled(id: number): void {
  if (cancelled.has(id)) throw new Cancelled();
}

async function serve(message: Requests): Promise<void> {
  const { id } = message;
  await breath();
  if (cancelled.delete(id)) return;
  try {
    const made = await guard.watch(() => answer(message));
    scope.postMessage({ type: 'answer', id, answer: made, memory: {} });
  } catch (thrown) {
    if (thrown instanceof Cancelled) return;
    const error = toErrorData(thrown);
    const fatal = error.code === 'crashed' || error.code === 'memory';
    scope.postMessage(fatal ? { type: 'crashed', error } : { type: 'error', id, error });
  } finally {
    cancelled.delete(id);
  }
}

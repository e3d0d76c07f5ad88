import { type Running, startBackend } from './backends.js';
import { breath } from './breath.js';
import { delay } from './cancel.js';
import { said } from './detail.js';
import { type BackendKind, type GpuProbe, planBackends } from './device.js';
import { MedleyError, toErrorData } from './errors.js';
import { probeGpu, watchDevices } from './gpu.js';
import { CrashGuard } from './guard.js';
import type { ImagePayload } from './images.js';
import { ProgressMeter } from './progress.js';
import type { Calls, Cancel, Loaded, LoadRequest, MemoryUse, Reply, Request } from './protocol.js';
import type { Analysis, Verification } from './types.js';
import { compareAnalyses } from './verify.js';
import { type Compiled, compileBuild, type WasmImage } from './wasm.js';
import { fetchWeights, type Weights } from './weights.js';

/** The part of `DedicatedWorkerGlobalScope` that is used; the library's DOM types are the page's. */
interface Scope extends EventTarget {
  postMessage(message: Reply, transfer?: Transferable[]): void;
}

/** The loss of a device is told by the browser a little after the work on it has failed. */
const LOSS_PATIENCE_MS = 300;

const scope = globalThis as unknown as Scope;
const guard = new CrashGuard(scope);
let loadedModel: { running: Running; probe: GpuProbe; how: LoadRequest } | null = null;
/** The same model on the other backend, for `verify`; made when first asked for. */
let other: Promise<Running> | null = null;
let lost = false;

watchDevices((reason) => {
  // Before a backend is chosen, a loss is a reason to step over it, which its failing work tells.
  if (loadedModel?.running.backend.kind !== 'webgpu') return;
  lost = true;
  scope.postMessage({ type: 'device-lost', reason });
});

async function load(request: LoadRequest, id: number): Promise<Loaded> {
  const meter = new ProgressMeter((progress) => scope.postMessage({ type: 'progress', id, progress }));
  const builds = buildsOf(request, meter);
  // The CPU's code comes first, whatever will run: it is small, and what all else falls back to.
  const cpu = builds('wasm');
  const { arrived, checked } = weightsOf(request, meter);
  const asked: GpuProbe = { found: false, reason: 'it was not asked for', detail: { code: 'wasm-asked', values: {} } };
  const probe = request.device === 'wasm' ? asked : await probeGpu();
  const [first] = planBackends(request.device, probe, request.acceptFallbackAdapter).candidates;
  const gpu = first?.kind === 'webgpu' ? builds('webgpu').catch(() => {}) : null;
  await Promise.all([cpu, gpu, Promise.race([arrived, checked])]);
  meter.enter('verify');
  const weights = await checked;
  meter.enter('compile');
  const { running, failures } = await startBackend(request, probe, weights, builds, guard, meter, request.failures);
  meter.finish();
  loadedModel = { running, probe, how: request };
  return {
    metadata: running.model.metadata(),
    backend: running.backend,
    facts: {
      sha256: weights.sha256,
      selfTest: running.selfTest,
      gpu: probe,
      failures,
      phases: meter.times,
      source: weights.source,
    },
  };
}

function buildsOf(request: LoadRequest, meter: ProgressMeter): (kind: BackendKind) => Promise<Compiled> {
  const compiled = new Map<BackendKind, Promise<Compiled>>();
  return (kind) => {
    const build = compiled.get(kind) ?? compileBuild(kind, request, meter, watchThread);
    compiled.set(kind, build);
    // Whoever needs the build awaits it and hears of the failure; one not needed may fail unheard.
    build.catch(() => {});
    return build;
  };
}

/** Lets the page hear of a thread's end, while this worker waits for it and hears nothing. */
function watchThread(crashes: MessagePort): void {
  scope.postMessage({ type: 'thread', crashes }, [crashes]);
}

/** `arrived`: every byte is here; `checked`: and is the right one. */
function weightsOf(request: LoadRequest, meter: ProgressMeter): { arrived: Promise<void>; checked: Promise<Weights> } {
  let allHere = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    allHere = resolve;
  });
  const checked = fetchWeights(request, meter, allHere);
  checked.catch(() => {});
  return { arrived, checked };
}

async function analyze({ image, tasks, verify }: Calls['analyze']['request'], id: number): Promise<Analysis> {
  const { running } = loaded();
  const answer = await analyzeOn(running, image, tasks, id, [0, verify ? 0.5 : 1]);
  if (!verify) return answer;
  return { ...answer, verification: await verifyOn(running, answer, image, tasks, id) };
}

/** @param span - where in the whole call, from 0 to 1, this begins and ends. */
async function analyzeOn(
  running: Running,
  image: ImagePayload,
  tasks: string[] | null,
  id: number,
  span: Span,
): Promise<Analysis> {
  const { report, masks, embedding } = await onImage(running, image, (decoded) =>
    running.model.analyze(decoded, tasks ?? undefined, ...hooks(id, span)),
  );
  return {
    report,
    masks: Object.fromEntries(masks.map(({ task, ...mask }) => [task, mask])),
    embedding,
  };
}

type Span = readonly [from: number, to: number];

/** What the wasm code calls between its stages: whether to stop, and how far it is. */
function hooks(id: number, [from, to]: Span = [0, 1]): [() => boolean, (share: number) => Promise<void>] {
  const between = async (share: number): Promise<void> => {
    scope.postMessage({ type: 'progress', id, progress: { fraction: from + share * (to - from) } });
    await breath();
  };
  return [() => cancelled.has(id), between];
}

/** Decodes an image for the time of the work on it. */
async function onImage<T>(
  running: Running,
  image: ImagePayload,
  work: (decoded: WasmImage) => T | Promise<T>,
): Promise<T> {
  const decoded = await decode(running, image);
  try {
    return await work(decoded);
  } finally {
    decoded.free();
  }
}

/** The same image on the other backend, and how far apart the answers are. */
async function verifyOn(
  running: Running,
  answer: Analysis,
  image: ImagePayload,
  tasks: string[] | null,
  id: number,
): Promise<Verification> {
  other ??= startOther(running);
  let second: Running;
  try {
    second = await other;
  } catch (error) {
    other = null;
    return { ran: false, reason: toErrorData(error).message };
  }
  const compared = await analyzeOn(second, image, tasks, id, [0.5, 1]);
  const backends = [running.backend.kind, second.backend.kind] as const;
  return { ran: true, backends: [...backends], heads: compareAnalyses(answer, compared) };
}

async function startOther({ backend }: Running): Promise<Running> {
  const { how, probe } = loaded();
  const meter = new ProgressMeter(() => {});
  const device = backend.kind === 'webgpu' ? 'wasm' : 'webgpu';
  const gpu = device === 'webgpu' && !probe.found ? await probeGpu() : probe;
  const weights = await fetchWeights(how, meter, () => {});
  const { running } = await startBackend({ ...how, device }, gpu, weights, buildsOf(how, meter), guard, meter, []);
  return running;
}

async function preview({ image, maxSide }: Calls['preview']['request']): Promise<Calls['preview']['answer']> {
  return onImage(loaded().running, image, (decoded) => {
    const { width, height, rgba, words, channels } = decoded.preview(maxSide);
    const clamped = new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.byteLength);
    const values = words === undefined || channels === undefined ? null : { channels, data: words };
    return { sourceWidth: decoded.width, sourceHeight: decoded.height, width, height, rgba: clamped, values };
  });
}

async function decode({ module: { WasmImage } }: Running, image: ImagePayload): Promise<WasmImage> {
  const { name } = image;
  switch (image.form) {
    case 'file':
      return WasmImage.decode(await read(image.file, name), name);
    case 'rgba':
      return WasmImage.fromRgba(image.data, image.width, image.height, name);
    case 'samples': {
      const { data, width, height, channels, low, high, pixelArea, frame } = image;
      const decoded = WasmImage.fromSamples(data, width, height, channels, low, high, name);
      decoded.pixelArea = pixelArea;
      decoded.frame = frame;
      return decoded;
    }
  }
}

async function read(file: Blob, name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    const text = `${name || 'the image'} could not be read (${String(error)}); it may have been moved or changed: choose it again`;
    throw new MedleyError('image', said(text, 'file-unreadable'), { cause: error });
  }
}

function loaded(): NonNullable<typeof loadedModel> {
  if (loadedModel === null) throw new MedleyError('internal', 'the model is not loaded');
  return loadedModel;
}

async function answer({ call, request, id }: Request): Promise<unknown> {
  if (call === 'load') return load(request, id);
  return guard.watch(async () => {
    const { running } = loaded();
    const { model } = running;
    switch (call) {
      case 'analyze':
        return analyze(request, id);
      case 'preview':
        return preview(request);
      case 'embed':
        return onImage(running, request.image, (image) => model.embed(image, ...hooks(id)));
      case 'strokeFeatures': {
        const { image, presentation, pixels } = request;
        return onImage(running, image, (decoded) =>
          model.strokeFeatures(decoded, presentation ?? undefined, pixels, ...hooks(id)),
        );
      }
      case 'teachImages': {
        const { name, classes, rows, labels } = request;
        return model.teachImages(name, classes, rows, labels);
      }
      case 'teachStrokes': {
        const { name, classes, presentation, rows, labels, lengths } = request;
        return model.teachStrokes(name, classes, presentation ?? undefined, rows, labels, lengths);
      }
      case 'readHead':
        return model.readHead(request.file);
      case 'classify': {
        const { file, image } = request;
        return onImage(running, image, async (decoded) => model.classify(file, await model.embed(decoded, ...hooks(id))));
      }
      case 'segment':
        return onImage(running, request.image, (image) => model.segment(request.file, image, ...hooks(id)));
    }
  });
}

/** One call at a time: the wasm instance has one memory and one stack. */
let last: Promise<void> = Promise.resolve();
const cancelled = new Set<number>();

scope.addEventListener('message', (event) => {
  const message = (event as MessageEvent<Request | Cancel>).data;
  if ('cancel' in message) {
    cancelled.add(message.cancel);
    return;
  }
  last = last.then(() => serve(message));
});

async function serve(message: Request): Promise<void> {
  await breath();
  if (cancelled.delete(message.id)) return;
  try {
    const result = await answer(message);
    scope.postMessage({ type: 'answer', id: message.id, answer: result, memory: await memoryUse() });
  } catch (thrown) {
    await tell(toErrorData(thrown), message.id);
  } finally {
    cancelled.delete(message.id);
  }
}

async function tell(error: ReturnType<typeof toErrorData>, id: number): Promise<void> {
  const fatal = error.code === 'crashed' || error.code === 'memory';
  // What looks like a fault of the code may be the GPU's loss, which the page mends.
  if (loadedModel?.running.backend.kind === 'webgpu') await delay(LOSS_PATIENCE_MS);
  if (lost) return;
  scope.postMessage(fatal ? { type: 'crashed', error } : { type: 'error', id, error });
}

async function memoryUse(): Promise<MemoryUse> {
  const use: MemoryUse = {};
  for (const running of [loadedModel?.running, other === null ? undefined : await other.catch(() => undefined)]) {
    if (running !== undefined) use[running.backend.kind] = running.memory.buffer.byteLength;
  }
  return use;
}

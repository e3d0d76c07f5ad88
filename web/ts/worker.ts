import { type Running, startBackend } from './backends.js';
import { type BackendKind, type GpuProbe, planBackends } from './device.js';
import { MedleyError, toErrorData } from './errors.js';
import { probeGpu } from './gpu.js';
import { CrashGuard } from './guard.js';
import type { ImagePayload } from './images.js';
import { ProgressMeter } from './progress.js';
import type { Calls, Cancel, Reply, Request } from './protocol.js';
import type { Analysis } from './types.js';
import { type Compiled, compileBuild, type WasmImage } from './wasm.js';
import { fetchWeights } from './weights.js';

/** The part of `DedicatedWorkerGlobalScope` that is used; the library's DOM types are the page's. */
interface Scope extends EventTarget {
  postMessage(message: Reply, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const guard = new CrashGuard(scope);
let running: Running | null = null;

async function load(request: Calls['load']['request'], id: number): Promise<Calls['load']['answer']> {
  const meter = new ProgressMeter((progress) => scope.postMessage({ type: 'progress', id, progress }));
  const compiled = new Map<BackendKind, Promise<Compiled>>();
  const builds = (kind: BackendKind): Promise<Compiled> => {
    const build = compiled.get(kind) ?? compileBuild(kind, meter);
    compiled.set(kind, build);
    // Whoever needs the build awaits it and hears of the failure; one not needed may fail unheard.
    build.catch(() => {});
    return build;
  };

  // The CPU's code comes first, whatever will run: it is small, and what all else falls back to.
  const cpu = builds('wasm');
  const weights = fetchWeights(request.base, request.cache, meter);
  weights.catch(() => {});
  const asked: GpuProbe = { found: false, reason: 'it was not asked for' };
  const probe = request.device === 'wasm' ? asked : await probeGpu();
  const [first] = planBackends(request.device, probe, request.acceptFallbackAdapter).candidates;
  if (first?.kind === 'webgpu') builds('webgpu');
  await cpu;
  const files = await weights;
  meter.enter('verify');
  running = await startBackend(request, probe, files, builds, guard, meter);
  meter.enter('ready');
  return { metadata: running.model.metadata(), backend: running.backend };
}

async function analyze({ image, tasks }: Calls['analyze']['request'], id: number): Promise<Analysis> {
  const { model } = loaded();
  const decoded = decode(image);
  try {
    const { report, masks, embedding } = await model.analyze(decoded, tasks ?? undefined, () =>
      cancelled.has(id),
    );
    return {
      report,
      masks: Object.fromEntries(masks.map(({ task, ...mask }) => [task, mask])),
      embedding,
    };
  } finally {
    decoded.free();
  }
}

async function preview({ image, maxSide }: Calls['preview']['request']): Promise<Calls['preview']['answer']> {
  const decoded = decode(image);
  try {
    const { width, height, rgba } = decoded.preview(maxSide);
    const clamped = new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.byteLength);
    return { sourceWidth: decoded.width, sourceHeight: decoded.height, width, height, rgba: clamped };
  } finally {
    decoded.free();
  }
}

function decode(image: ImagePayload): WasmImage {
  const { WasmImage } = loaded().module;
  return image.form === 'encoded'
    ? WasmImage.decode(image.bytes, image.name)
    : WasmImage.fromRgba(image.bytes, image.width, image.height, image.name);
}

function loaded(): Running {
  if (running === null) throw new MedleyError('internal', 'the model is not loaded');
  return running;
}

async function answer(message: Request): Promise<unknown> {
  switch (message.call) {
    case 'load':
      return load(message.request, message.id);
    case 'analyze':
      return guard.watch(() => analyze(message.request, message.id));
    case 'preview':
      return guard.watch(() => preview(message.request));
  }
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
  // A turn of the event loop, so that a cancellation that came meanwhile is heard.
  await new Promise((resolve) => setTimeout(resolve));
  if (cancelled.delete(message.id)) return;
  try {
    const result = await answer(message);
    scope.postMessage({ type: 'answer', id: message.id, answer: result });
  } catch (thrown) {
    const error = toErrorData(thrown);
    scope.postMessage(
      error.code === 'crashed' ? { type: 'crashed', error } : { type: 'error', id: message.id, error },
    );
  } finally {
    cancelled.delete(message.id);
  }
}

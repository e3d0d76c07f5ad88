import { type Build, chooseBuild, type WasmUrls } from './builds.js';
import { said } from './detail.js';
import type { BackendKind } from './device.js';
import { MedleyError } from './errors.js';
import { streamed } from './fetching.js';
import type { ProgressMeter } from './progress.js';
import { possibleThreads, startThreads, type ThreadedModule } from './threads.js';
import type { ClassProbability, Estimate, Mask, Metadata, Presentation, Report } from './types.js';

/** The class that the wasm crate `medley-web` exports. */
export interface WasmModel {
  metadata(): Metadata;
  selfTest(): Promise<SelfTest>;
  analyze(
    image: WasmImage,
    tasks: string[] | undefined,
    cancelled: Cancelled,
    between: Between,
  ): Promise<WasmAnalysis>;
  embed(image: WasmImage, cancelled: Cancelled, between: Between): Promise<Float32Array<ArrayBuffer>>;
  strokeFeatures(
    image: WasmImage,
    presentation: Presentation | undefined,
    pixels: Uint32Array,
    cancelled: Cancelled,
    between: Between,
  ): Promise<{ rows: Float32Array<ArrayBuffer>; count: number }>;
  teachImages(name: string, classes: string[], rows: Float32Array, labels: Uint32Array): WasmLesson;
  teachStrokes(
    name: string,
    classes: string[],
    presentation: Presentation | undefined,
    rows: Float32Array,
    labels: Uint32Array,
    lengths: Uint32Array,
  ): WasmLesson;
  readHead(file: Uint8Array): HeadDescription;
  classify(file: Uint8Array, embedding: Float32Array): ClassProbability[];
  segment(file: Uint8Array, image: WasmImage, cancelled: Cancelled, between: Between): Promise<Mask>;
  free(): void;
}

/** Asked between the stages whether to stop. */
type Cancelled = (() => boolean) | undefined;

/** Told between the stages which share of the work is done; the work waits for the promise. */
type Between = ((share: number) => Promise<void>) | undefined;

/** A head that was taught. */
export interface WasmLesson {
  file: Uint8Array<ArrayBuffer>;
  examples: number[];
  estimate: Estimate | null;
  /** For each example the class that it would be answered with had it not been learned; -1 where none could be held out. */
  heldOut: Int32Array<ArrayBuffer>;
}

/** What a head file says of itself. */
export interface HeadDescription {
  scope: 'image' | 'pixel';
  name: string;
  classes: string[];
  presentation: Presentation;
  examples: number[];
  estimate: Estimate | null;
}

/** What the package's self-test found on a backend. */
export interface SelfTest {
  passed: boolean;
  /** The largest error of any head. */
  worst: number;
  /** What the package allows. */
  tolerance: number;
  /** The head with the largest error. */
  head: string;
}

export interface WasmAnalysis {
  report: Report;
  masks: { task: string; width: number; height: number; indices: Uint8Array<ArrayBuffer> }[];
  embedding: Float32Array<ArrayBuffer>;
}

/** A decoded image in the wasm memory. */
export interface WasmImage {
  readonly width: number;
  readonly height: number;
  pixelArea: number | undefined;
  frame: number | undefined;
  /** `words` and `channels` where the file's values have 16 bits. */
  preview(maxSide: number): {
    width: number;
    height: number;
    rgba: Uint8Array<ArrayBuffer>;
    words?: Uint16Array<ArrayBuffer>;
    channels?: 1 | 3;
  };
  free(): void;
}

/** The glue that wasm-bindgen writes (`--target web`), as far as the worker uses it. */
export interface WasmModule {
  default(options: { module_or_path: WebAssembly.Module }): Promise<{ memory: WebAssembly.Memory }>;
  WasmModel: {
    /** `checked`: whether the digests of shards and file were compared with the manifest's; if not, this does. */
    create(manifest: Uint8Array, file: Uint8Array, checked: boolean): Promise<WasmModel>;
  };
  WasmImage: {
    decode(bytes: Uint8Array, name: string): WasmImage;
    fromRgba(bytes: Uint8Array, width: number, height: number, name: string): WasmImage;
    fromSamples(
      samples: Uint8Array | Uint16Array | Float32Array,
      width: number,
      height: number,
      channels: number,
      low: number,
      high: number,
      name: string,
    ): WasmImage;
  };
}

/** The builds of the crate: small ones for the CPU, of which one is used, and the large one with WebGPU. */
const BUILDS: Record<Build, { glue: () => Promise<unknown>; wasm: () => URL }> = {
  wasm: {
    glue: () => import('../pkg/cpu/medley_web.js'),
    wasm: () => new URL('../pkg/cpu/medley_web_bg.wasm', import.meta.url),
  },
  wasmRelaxed: {
    glue: () => import('../pkg/cpu-relaxed/medley_web.js'),
    wasm: () => new URL('../pkg/cpu-relaxed/medley_web_bg.wasm', import.meta.url),
  },
  wasmThreads: {
    glue: () => import('../pkg/cpu-threads/medley_web.js'),
    wasm: () => new URL('../pkg/cpu-threads/medley_web_bg.wasm', import.meta.url),
  },
  webgpu: {
    glue: () => import('../pkg/webgpu/medley_web.js'),
    wasm: () => new URL('../pkg/webgpu/medley_web_bg.wasm', import.meta.url),
  },
};

/** A build that runs. */
export interface Started {
  build: Build;
  /** That compute. */
  threads: number;
  module: WasmModule;
  memory: WebAssembly.Memory;
}

/** A build that is here but does not run yet: nothing of it has memory until it is started. */
export interface Compiled {
  /** How many threads of the CPU compute with it. */
  threads: number;
  start(): Promise<Started>;
  /** Ends what was started; it is not to be used any more. */
  stop(): void;
  /** The build to take where this one starts wrongly, or computes wrongly; `null` where there is none. */
  simpler: (() => Promise<Compiled>) | null;
}

/** What decides which build is taken and how it is started. */
export interface BuildRequest {
  wasmUrls: WasmUrls;
  stallMs: number;
  /** The most threads of the CPU. */
  threads: number;
  threadUrl: string | null;
}

/**
 * Fetches and compiles a build for a backend while it streams in. The build for several threads has that for one behind it; where
 * it cannot be had, it says so when it is started.
 *
 * @param watch - see {@link startThreads}.
 */
export async function compileBuild(
  kind: BackendKind,
  request: BuildRequest,
  meter: ProgressMeter,
  watch: (crashes: MessagePort) => void,
): Promise<Compiled> {
  const { wasmUrls, stallMs } = request;
  const threads = Math.min(request.threads, possibleThreads(globalThis, Atomics));
  const build = chooseBuild(kind, wasmUrls, threads, (module) => WebAssembly.validate(module));
  if (build === 'wasmThreads') return threaded(kind, request, threads, meter, watch);
  const { glue, module } = await fetchBuild(build, wasmUrls, stallMs, meter);
  return {
    threads: 1,
    async start() {
      const { memory } = await glue.default({ module_or_path: module });
      return { build, threads: 1, module: glue, memory };
    },
    stop() {},
    simpler: null,
  };
}

/** The build for several threads. */
async function threaded(
  kind: BackendKind,
  request: BuildRequest,
  threads: number,
  meter: ProgressMeter,
  watch: (crashes: MessagePort) => void,
): Promise<Compiled> {
  const build = 'wasmThreads';
  const fetched = fetchBuild(build, request.wasmUrls, request.stallMs, meter);
  // Who starts it hears of a failure; until then there is no hurry to look for another build.
  await fetched.catch(() => {});
  /** Held, so that no browser takes them for garbage. */
  let workers: Worker[] = [];
  return {
    threads,
    async start() {
      const { glue, module } = await fetched;
      const { memory } = await glue.default({ module_or_path: module });
      workers = await startThreads(glue as WasmModule & ThreadedModule, module, memory, threads, request.threadUrl ?? undefined, watch);
      return { build, threads, module: glue, memory };
    },
    stop() {
      for (const worker of workers) worker.terminate();
      workers = [];
    },
    simpler: () => compileBuild(kind, { ...request, threads: 1 }, meter, watch),
  };
}

async function fetchBuild(
  build: Build,
  urls: WasmUrls,
  stallMs: number,
  meter: ProgressMeter,
): Promise<{ glue: WasmModule; module: WebAssembly.Module }> {
  const files = BUILDS[build];
  const url = urls[build] ?? files.wasm().href;
  const [glue, module] = await Promise.all([importGlue(files, url), streamed(url, meter, stallMs, compile)]);
  return { glue, module };
}

async function importGlue(build: { glue: () => Promise<unknown> }, url: string): Promise<WasmModule> {
  try {
    return (await build.glue()) as WasmModule;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const text = `the script of ${url} could not be fetched (${why}); check the connection, then try again`;
    throw new MedleyError('network', said(text, 'script-missing', { url, why }), { cause: error });
  }
}

/** Streaming where the server names the type as it should, else from the whole bytes. */
async function compile(response: Response): Promise<WebAssembly.Module> {
  if (response.headers.get('Content-Type') === 'application/wasm') return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

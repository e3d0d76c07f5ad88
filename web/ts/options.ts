import type { DeviceChoice } from './device.js';
import type { Progress } from './progress.js';

/** How a model is loaded. */
export interface LoadOptions {
  /** What runs it; default `auto`: WebGPU where a real adapter answers, else WebAssembly. */
  device?: DeviceChoice;
  /** Also use a software WebGPU adapter, which is slower than WebAssembly; for tests. Default `false`. */
  acceptFallbackAdapter?: boolean;
  /** Keep the weights on this device for the next time. Default `true`; see `clearCache`. */
  cache?: boolean;
  /**
   * The most threads of the CPU to use. Default: as many as the device has, at most 8. More than one only where the page is
   * cross-origin isolated (`Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`, with
   * the latter on the answers for this package's scripts too); `model.backend.threads` says what is used.
   */
  threads?: number;
  /** Answer every image on both backends and compare; see `AnalyzeOptions.verify`. Default `false`. */
  verify?: boolean;
  /** Called as loading goes on; `fraction` never falls. */
  onProgress?: (progress: Progress) => void;
  /** Cancels loading: the promise rejects with the signal's reason, nothing is left running. */
  signal?: AbortSignal;
  /** How long a server may be silent before it is asked again, in milliseconds. Default 15 000. */
  stallTimeout?: number;
  /** Where the package's own files are, if not beside its scripts. */
  urls?: AssetUrls;
}

/** Addresses of the package's own files; relative ones are relative to the page. */
export interface AssetUrls {
  /**
   * `dist/worker.js` of this package, with the files that it imports beside it, or a bundle of it. Of the
   * page's own origin: browsers start no others as workers.
   */
  worker?: string | URL;
  /** The CPU's build, `pkg/cpu/medley_web_bg.wasm`. */
  wasm?: string | URL;
  /**
   * The CPU's build for browsers with relaxed SIMD, `pkg/cpu-relaxed/medley_web_bg.wasm`. Where some of the CPU's builds are
   * given, only those are used.
   */
  wasmRelaxed?: string | URL;
  /** The CPU's build for several threads, `pkg/cpu-threads/medley_web_bg.wasm`; only on a page that is cross-origin isolated. */
  wasmThreads?: string | URL;
  /** `dist/thread.js` of this package, with the files that it imports beside it, or a bundle of it; as for `worker`. */
  thread?: string | URL;
  /** The build for WebGPU, `pkg/webgpu/medley_web_bg.wasm`; fetched only where an adapter answers. */
  webgpu?: string | URL;
}

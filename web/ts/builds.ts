import type { BackendKind } from './device.js';

/**
 * A build of the wasm crate: for the CPU of any browser, for that of one with relaxed SIMD, for that with several threads too, and
 * with WebGPU.
 */
export type Build = 'wasm' | 'wasmRelaxed' | 'wasmThreads' | 'webgpu';

/** Where the `.wasm` files are, where not beside the package's own scripts. */
export type WasmUrls = Partial<Record<Build, string>>;

/** A module with one function: `f32x4.relaxed_madd` of its three arguments. */
const RELAXED_MADD = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // Its type: three vectors to one.
  ...[0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  // Its body: local.get 0, 1, 2, the instruction, end.
  ...[0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b],
);

/**
 * The build for a backend. `validate` is the browser's `WebAssembly.validate`, `threads` how many can compute. Whoever says where
 * some builds for the CPU are has no others.
 */
export function chooseBuild(
  kind: BackendKind,
  urls: WasmUrls,
  threads: number,
  validate: (module: Uint8Array<ArrayBuffer>) => boolean,
): Build {
  if (kind === 'webgpu') return 'webgpu';
  const named = urls.wasm !== undefined || urls.wasmRelaxed !== undefined || urls.wasmThreads !== undefined;
  const offered = (build: Build): boolean => urls[build] !== undefined || !named;
  const fast = (['wasmThreads', 'wasmRelaxed'] as const).find((build) => offered(build) && (build === 'wasmRelaxed' || threads > 1));
  return fast !== undefined && validate(RELAXED_MADD) ? fast : 'wasm';
}

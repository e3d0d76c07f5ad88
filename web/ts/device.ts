import { type Detail, inner, type Said, said } from './detail.js';

/** What the caller wants: `auto` takes WebGPU where a real adapter answers, else WebAssembly. */
export type DeviceChoice = 'auto' | 'webgpu' | 'wasm';

/** What can run a model. */
export type BackendKind = 'webgpu' | 'wasm';

/** What runs a model, and why. */
export interface Backend {
  /** WebGPU, or the CPU. */
  kind: BackendKind;
  /** The adapter as the browser names it; `null` on WebAssembly. */
  adapter: string | null;
  /** The number type that it computes with; weights are stored smaller and widened once. */
  dtype: 'f32';
  /** Threads of the CPU that compute. */
  threads: number;
  /** Whether the CPU multiplies and adds in one instruction (relaxed SIMD), which not every browser can; `false` on WebGPU. */
  relaxedSimd: boolean;
  /** Why this one: one sentence for the user, in English. */
  reason: string;
  /** The same, for a page in another language: one sentence each, those without a code in English. */
  reasons: readonly (Detail | string)[];
}

/** What is known before a build runs: threads and relaxed SIMD are that build's. */
const COMPUTES = { dtype: 'f32', threads: 1, relaxedSimd: false } as const;

/** What was learnt about WebGPU on this device. */
export type GpuProbe =
  | { found: true; adapter: string; software: boolean; limits: Readonly<Record<string, number>>; features: readonly string[] }
  | { found: false; reason: string; detail: Detail };

/** The backends to try, best first, each with the reason for trying it. Empty: the wish cannot be met. */
export interface Plan {
  candidates: readonly Backend[];
  /** Why WebGPU is not among them, where it is not. */
  withoutGpu: Said | null;
}

/**
 * Chooses what to try. A software adapter counts as none unless `acceptSoftware`: it is slower than
 * WebAssembly.
 */
export function planBackends(choice: DeviceChoice, probe: GpuProbe, acceptSoftware: boolean): Plan {
  const because = (reason: Said): Pick<Backend, 'reason' | 'reasons'> => ({ reason: reason.text, reasons: [inner(reason)] });
  const wasm = (reason: Said): Backend => ({ kind: 'wasm', adapter: null, ...COMPUTES, ...because(reason) });
  if (choice === 'wasm') {
    return { candidates: [wasm(said('WebAssembly was asked for', 'wasm-asked'))], withoutGpu: null };
  }
  if (!probe.found || (probe.software && !acceptSoftware)) {
    const withoutGpu = probe.found
      ? said(`the only WebGPU adapter is software (${probe.adapter}), which is slower`, 'gpu-software', { adapter: probe.adapter })
      : { text: probe.reason, detail: probe.detail };
    const reason = said(`no WebGPU: ${withoutGpu.text}`, 'no-webgpu', { why: inner(withoutGpu) });
    return { candidates: choice === 'auto' ? [wasm(reason)] : [], withoutGpu };
  }
  const webgpu: Backend = {
    kind: 'webgpu',
    adapter: probe.adapter,
    ...COMPUTES,
    ...because(
      choice === 'webgpu'
        ? said('WebGPU was asked for', 'webgpu-asked')
        : said('a WebGPU adapter answers and passed the self-test', 'webgpu-passed'),
    ),
  };
  const candidates = choice === 'auto' ? [webgpu, wasm({ text: 'WebGPU did not pass', detail: null })] : [webgpu];
  return { candidates, withoutGpu: null };
}

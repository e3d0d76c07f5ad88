/** What the caller wants: `auto` takes WebGPU where a real adapter answers, else WebAssembly. */
export type DeviceChoice = 'auto' | 'webgpu' | 'wasm';

/** What can run a model. */
export type BackendKind = 'webgpu' | 'wasm';

/** What runs a model, and why. */
export interface Backend {
  kind: BackendKind;
  /** The adapter as the browser names it; `null` on WebAssembly. */
  adapter: string | null;
  /** The number type that it computes with; weights are stored smaller and widened once. */
  dtype: 'f32';
  /** Threads of the CPU that compute. */
  threads: number;
  /** Whether the CPU multiplies and adds in one instruction (relaxed SIMD), which not every browser can; `false` on WebGPU. */
  relaxedSimd: boolean;
  /** Why this one: one sentence for the user. */
  reason: string;
}

/** What is known before a build runs: threads and relaxed SIMD are that build's. */
const COMPUTES = { dtype: 'f32', threads: 1, relaxedSimd: false } as const;

/** What was learnt about WebGPU on this device. */
export type GpuProbe =
  | { found: true; adapter: string; software: boolean; limits: Readonly<Record<string, number>>; features: readonly string[] }
  | { found: false; reason: string };

/** The backends to try, best first, each with the reason for trying it. Empty: the wish cannot be met. */
export interface Plan {
  candidates: readonly Backend[];
  /** Why WebGPU is not among them, where it is not. */
  withoutGpu: string | null;
}

/**
 * Chooses what to try. A software adapter counts as none unless `acceptSoftware`: it is slower than
 * WebAssembly.
 */
export function planBackends(choice: DeviceChoice, probe: GpuProbe, acceptSoftware: boolean): Plan {
  const wasm = (reason: string): Backend => ({ kind: 'wasm', adapter: null, ...COMPUTES, reason });
  if (choice === 'wasm') {
    return { candidates: [wasm('WebAssembly was asked for')], withoutGpu: null };
  }
  let withoutGpu: string | null = null;
  if (!probe.found) {
    withoutGpu = probe.reason;
  } else if (probe.software && !acceptSoftware) {
    withoutGpu = `the only WebGPU adapter is software (${probe.adapter}), which is slower`;
  }
  if (withoutGpu !== null || !probe.found) {
    const candidates = choice === 'auto' ? [wasm(`no WebGPU: ${withoutGpu}`)] : [];
    return { candidates, withoutGpu };
  }
  const webgpu: Backend = {
    kind: 'webgpu',
    adapter: probe.adapter,
    ...COMPUTES,
    reason:
      choice === 'webgpu' ? 'WebGPU was asked for' : 'a WebGPU adapter answers and passed the self-test',
  };
  const candidates = choice === 'auto' ? [webgpu, wasm('WebGPU did not pass')] : [webgpu];
  return { candidates, withoutGpu: null };
}

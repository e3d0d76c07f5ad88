import { type Backend, type BackendKind, type DeviceChoice, type GpuProbe, planBackends } from './device.js';
import { MedleyError, toErrorData } from './errors.js';
import type { CrashGuard } from './guard.js';
import type { ProgressMeter } from './progress.js';
import type { Compiled, WasmModel, WasmModule } from './wasm.js';
import type { Weights } from './weights.js';

/** A model that runs, and on what. */
export interface Running {
  backend: Backend;
  module: WasmModule;
  model: WasmModel;
}

/** A driver that neither answers nor fails is stepped over after this long. */
const GPU_PATIENCE_MS = 60_000;

/** Starts the best backend that passes the package's self-test; each failure's reason is kept. */
export async function startBackend(
  choice: { device: DeviceChoice; acceptFallbackAdapter: boolean },
  probe: GpuProbe,
  weights: Weights,
  builds: (kind: BackendKind) => Promise<Compiled>,
  guard: CrashGuard,
  meter: ProgressMeter,
): Promise<Running> {
  const plan = planBackends(choice.device, probe, choice.acceptFallbackAdapter);
  if (plan.candidates.length === 0) {
    throw new MedleyError(
      'unsupported',
      `WebGPU was asked for, but ${plan.withoutGpu}; load the model with device "auto" or "wasm"`,
    );
  }
  const failures: string[] = [];
  for (const candidate of plan.candidates) {
    try {
      const compiled = await builds(candidate.kind);
      const running = await patiently(candidate.kind, choice.acceptFallbackAdapter, () =>
        guard.watch(() => start(candidate, compiled, weights, meter)),
      );
      if (failures.length > 0) running.backend = { ...candidate, reason: failures.join('; ') };
      return running;
    } catch (error) {
      const { code, message } = toErrorData(error);
      // Files that are wrong are wrong on every backend.
      if (code === 'package' || code === 'integrity') throw error;
      failures.push(`${candidate.kind === 'webgpu' ? 'WebGPU' : 'WebAssembly'}: ${message}`);
    }
  }
  throw new MedleyError('backend', `no backend can run this model. ${failures.join('. ')}`);
}

async function start(
  backend: Backend,
  compiled: Compiled,
  weights: Weights,
  meter: ProgressMeter,
): Promise<Running> {
  meter.enter('prepare');
  const module = await compiled.start();
  const model = await module.WasmModel.create(weights.manifest, weights.shards);
  meter.enter('self-test');
  const test = await model.selfTest();
  if (!test.passed) {
    model.free();
    throw new MedleyError(
      'backend',
      `the self-test's answer of ${test.head} is off by ${test.worst.toExponential(1)}, ` +
        `more than the allowed ${test.tolerance.toExponential(1)}`,
    );
  }
  return { backend, module, model };
}

async function patiently<T>(kind: BackendKind, software: boolean, work: () => Promise<T>): Promise<T> {
  if (kind !== 'webgpu' || software) return work();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new MedleyError('backend', `no answer within ${GPU_PATIENCE_MS / 1000} s`)),
      GPU_PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([work(), impatience]);
  } finally {
    clearTimeout(timer);
  }
}

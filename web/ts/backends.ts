import { delay } from './cancel.js';
import { inner, passedOver, type Said, said } from './detail.js';
import { type Backend, type BackendKind, type DeviceChoice, type GpuProbe, planBackends } from './device.js';
import { MedleyError, toErrorData } from './errors.js';
import type { CrashGuard } from './guard.js';
import { canDigest } from './integrity.js';
import type { ProgressMeter } from './progress.js';
import type { Compiled, SelfTest, Started, WasmModel } from './wasm.js';
import type { Weights } from './weights.js';

/** A model that runs, and on what. */
export interface Running extends Started {
  backend: Backend;
  model: WasmModel;
  selfTest: SelfTest;
}

/** A driver that neither answers nor fails is stepped over after this long. */
const GPU_PATIENCE_MS = 60_000;

/** The side of the picture that warms a GPU up: the models' usual input. */
const WARM_UP_SIDE = 256;

/**
 * Starts the best backend that passes the package's self-test: WebGPU before the CPU, several threads before one. Each failure's
 * reason is kept.
 *
 * @param before - what was passed over before, in a worker that is gone.
 */
export async function startBackend(
  choice: { device: DeviceChoice; acceptFallbackAdapter: boolean },
  probe: GpuProbe,
  weights: Weights,
  builds: (kind: BackendKind) => Promise<Compiled>,
  guard: CrashGuard,
  meter: ProgressMeter,
  before: readonly Said[],
): Promise<{ running: Running; failures: string[] }> {
  const plan = planBackends(choice.device, probe, choice.acceptFallbackAdapter);
  if (plan.candidates.length === 0) {
    const why = plan.withoutGpu ?? { text: 'there is none', detail: null };
    const text = `WebGPU was asked for, but ${why.text}; load the model with device "auto" or "wasm"`;
    throw new MedleyError('unsupported', said(text, 'webgpu-unavailable', { why: inner(why) }));
  }
  const failures = [...before];
  const codes = new Set<string>();
  const left: Trial[] = plan.candidates.map((backend) => ({ backend, instead: false, build: () => builds(backend.kind) }));
  for (let trial = left.shift(); trial !== undefined; trial = left.shift()) {
    const { backend } = trial;
    let compiled: Compiled | null = null;
    try {
      const built = await trial.build();
      compiled = built;
      const { simpler } = built;
      // The next to be tried, where this one fails.
      if (simpler !== null) left.unshift({ ...trial, build: simpler });
      const software = probe.found && probe.software;
      const running = await patiently(backend.kind, software, () => guard.watch(() => start(backend, software, built, weights, meter)));
      // Why this kind, unless the failure of another says it, then why not more threads.
      if (failures.length > 0) {
        running.backend.reason = [...(trial.instead ? [] : [backend.reason]), ...failures.map(({ text }) => text)].join('; ');
        running.backend.reasons = [...(trial.instead ? [] : backend.reasons), ...failures.map(inner)];
      }
      return { running, failures: failures.map(({ text }) => text) };
    } catch (error) {
      compiled?.stop();
      const { code, message, detail } = toErrorData(error);
      // Files that are wrong are wrong on every backend.
      if (code === 'package' || code === 'integrity') throw error;
      codes.add(code);
      failures.push(passedOver(trialOf(backend.kind, compiled?.threads ?? 1), { text: message, detail }));
      for (const other of left) other.instead ||= other.backend.kind !== backend.kind;
    }
  }
  const all = failures.map(({ text }) => text).join('. ');
  const reasons = failures.map(inner);
  // One common cause is told as that cause: whoever reads it can act on it.
  const [common] = codes.size === 1 ? codes : [];
  if (common === 'memory' || common === 'network') throw new MedleyError(common, said(all, 'no-backend', { reasons }));
  throw new MedleyError('backend', said(`no backend can run this model. ${all}`, 'no-backend', { reasons }));
}

/** A build that is to be tried on a backend. */
interface Trial {
  backend: Backend;
  /** In place of another backend that failed. */
  instead: boolean;
  build: () => Promise<Compiled>;
}

/** What a failure is told of. */
function trialOf(kind: BackendKind, threads: number): Parameters<typeof passedOver>[0] {
  if (kind === 'webgpu') return 'webgpu-failed';
  return threads > 1 ? 'threads-failed' : 'wasm-failed';
}

async function start(
  backend: Backend,
  software: boolean,
  compiled: Compiled,
  weights: Weights,
  meter: ProgressMeter,
): Promise<Running> {
  meter.enter('upload');
  const started = await compiled.start();
  const model = await started.module.WasmModel.create(weights.manifest, weights.file, canDigest());
  meter.enter('self-test');
  const selfTest = await model.selfTest();
  if (!selfTest.passed) {
    model.free();
    const { head } = selfTest;
    const [worst, tolerance] = [selfTest.worst.toExponential(1), selfTest.tolerance.toExponential(1)];
    const text = `the self-test's answer of ${head} is off by ${worst}, more than the allowed ${tolerance}`;
    throw new MedleyError('backend', said(text, 'self-test', { head, worst, tolerance }));
  }
  meter.enter('warm-up');
  // A GPU compiles its shaders for each shape when it first meets it. A CPU has nothing to gain,
  // and a software adapter would take longer than it saves.
  if (backend.kind === 'webgpu' && !software) await warmUp(started, model);
  const { build, threads } = started;
  const relaxedSimd = build === 'wasmRelaxed' || build === 'wasmThreads';
  return { ...started, backend: { ...backend, threads, relaxedSimd }, model, selfTest };
}

async function warmUp({ module }: Started, model: WasmModel): Promise<void> {
  const pixels = new Uint8Array(4 * WARM_UP_SIDE * WARM_UP_SIDE);
  const blank = module.WasmImage.fromRgba(pixels, WARM_UP_SIDE, WARM_UP_SIDE, '');
  try {
    await model.analyze(blank, [], undefined, undefined);
  } finally {
    blank.free();
  }
}

async function patiently<T>(kind: BackendKind, software: boolean, work: () => Promise<T>): Promise<T> {
  if (kind !== 'webgpu' || software) return work();
  const impatience = delay(GPU_PATIENCE_MS).then(() => {
    const seconds = GPU_PATIENCE_MS / 1000;
    throw new MedleyError('backend', said(`no answer within ${seconds} s`, 'gpu-silent', { seconds }));
  });
  // Where the work is done first, nobody waits for this any more.
  impatience.catch(() => {});
  return Promise.race([work(), impatience]);
}

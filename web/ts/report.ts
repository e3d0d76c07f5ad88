import type { Backend } from './device.js';
import type { HistoryEntry } from './engine.js';
import type { LoadFacts, MemoryUse } from './protocol.js';
import { NOTICE } from './notice.js';
import { VERSION } from './version.js';

/**
 * Everything that a bug report needs, and nothing of any image: of what was asked only names of
 * tasks and errors may be in it. `String(report)` is text to copy, `JSON.stringify(report)` an object.
 */
export class DiagnosticReport {
  /** What every export says. */
  readonly notice: string = NOTICE;
  /** Name and version of this package. */
  readonly package: string = `@medley/web ${VERSION}`;
  /** When the report was made. */
  readonly created: string = new Date().toISOString();
  /** Which model it is, with the SHA-256 of its weights, and from where. */
  readonly model: { name: string; variant: string; sha256: string; url: string };
  /** What runs it, and why. */
  readonly backend: Backend;
  /** Why better backends were passed over. */
  readonly failures: string[];
  /** How the self-test went on it. */
  readonly selfTest: LoadFacts['selfTest'];
  /** What was learnt about WebGPU on this device. */
  readonly gpu: LoadFacts['gpu'];
  /** Milliseconds of each phase of loading, and the bytes of weights by where they came from. */
  readonly load: Pick<LoadFacts, 'phases' | 'source'>;
  /** Bytes that the wasm memories have grown to. */
  readonly memory: MemoryUse;
  /** What the browser says of itself. */
  readonly browser: BrowserFacts;
  /** What happened to the model since it was loaded. */
  readonly history: HistoryEntry[];

  /** @internal */
  constructor(of: {
    model: DiagnosticReport['model'];
    backend: Backend;
    facts: LoadFacts;
    memory: MemoryUse;
    history: readonly HistoryEntry[];
  }) {
    const { failures, selfTest, gpu, phases, source } = of.facts;
    this.model = of.model;
    this.backend = of.backend;
    this.failures = failures;
    this.selfTest = selfTest;
    this.gpu = gpu;
    this.load = { phases, source };
    this.memory = of.memory;
    this.browser = browserFacts();
    this.history = [...of.history];
  }

  /** The report as text to copy. */
  toString(): string {
    return JSON.stringify(this, null, 2);
  }
}

/** What the browser says of itself and of the page's rights. */
export interface BrowserFacts {
  /** Its own name for itself. */
  userAgent: string;
  /** Logical processors. */
  processors: number;
  /** In GiB, rounded by the browser; `null` where it does not say. */
  deviceMemory: number | null;
  /** Whether the page came by a secure way: HTTPS, or from this device. */
  secureContext: boolean;
  /** Whether threads can share memory. */
  crossOriginIsolated: boolean;
  /** Whether weights can be kept. */
  cacheApi: boolean;
  /** Whether the browser has WebGPU, be there an adapter or not. */
  webgpu: boolean;
}

function browserFacts(): BrowserFacts {
  const { userAgent, hardwareConcurrency } = navigator;
  return {
    userAgent,
    processors: hardwareConcurrency,
    deviceMemory: (navigator as { deviceMemory?: number }).deviceMemory ?? null,
    secureContext: isSecureContext,
    crossOriginIsolated,
    cacheApi: 'caches' in globalThis,
    webgpu: 'gpu' in navigator,
  };
}

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
  readonly notice: string = NOTICE;
  readonly package: string = `@medley/web ${VERSION}`;
  /** When the report was made. */
  readonly created: string = new Date().toISOString();
  readonly model: { name: string; variant: string; sha256: string; url: string };
  readonly backend: Backend;
  /** Why better backends were passed over. */
  readonly failures: string[];
  readonly selfTest: LoadFacts['selfTest'];
  readonly gpu: LoadFacts['gpu'];
  /** Milliseconds of each phase of loading, and the bytes of weights by where they came from. */
  readonly load: Pick<LoadFacts, 'phases' | 'source'>;
  /** Bytes that the wasm memories have grown to. */
  readonly memory: MemoryUse;
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

  toString(): string {
    return JSON.stringify(this, null, 2);
  }
}

/** What the browser says of itself and of the page's rights. */
export interface BrowserFacts {
  userAgent: string;
  /** Logical processors. */
  processors: number;
  /** In GiB, rounded by the browser; `null` where it does not say. */
  deviceMemory: number | null;
  secureContext: boolean;
  crossOriginIsolated: boolean;
  cacheApi: boolean;
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

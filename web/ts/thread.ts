/**
 * A thread of the CPU: a worker that shares the memory of the worker which started it. It computes for as long as it lives, so that
 * it hears nothing any more; what breaks it is told to the page, as the other worker waits for it.
 *
 * @packageDocumentation
 */

import { fromPanic, toErrorData } from './errors.js';
import type { ThreadOrder } from './threads.js';

const scope = globalThis as unknown as EventTarget & { postMessage(message: 'ready'): void; medleyPanicked?(message: string): void };

scope.addEventListener(
  'message',
  (event) => {
    void work((event as MessageEvent<ThreadOrder>).data);
  },
  { once: true },
);

async function work({ module, memory, crashes }: ThreadOrder): Promise<void> {
  let told = false;
  const tell = (error: unknown): void => {
    // A panic says more than the trap that follows it.
    if (!told) crashes.postMessage(toErrorData(error));
    told = true;
  };
  scope.medleyPanicked = (message) => tell(fromPanic(message));
  try {
    const glue = await import('../pkg/cpu-threads/medley_web.js');
    await glue.default({ module_or_path: module, memory });
    scope.postMessage('ready');
    glue.runThread();
  } catch (error) {
    tell(error);
  }
}

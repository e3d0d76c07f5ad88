import { MedleyError } from './errors.js';
import type { ProgressMeter } from './progress.js';

/** GET of one file; anything but its bytes is a `network` error that names the address. */
export async function get(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', ...init });
  } catch (error) {
    throw new MedleyError(
      'network',
      `${url}: could not be fetched (${error instanceof Error ? error.message : String(error)}); ` +
        'check the connection and the address, then try again',
      { cause: error },
    );
  }
  if (!response.ok) {
    throw new MedleyError(
      'network',
      `${url}: the server answered ${response.status} ${response.statusText}; check the address of the model`,
    );
  }
  return response;
}

/** A response whose body reports its bytes to the meter as they pass. */
export function metered(response: Response, file: string, meter: ProgressMeter): Response {
  // The announced length is that of the compressed bytes where there is an encoding; ours are not.
  const length = Number(response.headers.get('Content-Length'));
  if (length > 0 && response.headers.get('Content-Encoding') === null) meter.expect(file, length);
  if (response.body === null) return response;
  let loaded = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      meter.advance(file, loaded);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), {
    headers: { 'Content-Type': response.headers.get('Content-Type') ?? 'application/octet-stream' },
  });
}

/**
 * Reads a body of a known length, with progress. Reading stops as soon as there is more than was
 * promised, so that a wrong file cannot fill the memory.
 */
export async function readBytes(
  response: Response,
  expected: { path: string; length: number },
  meter: ProgressMeter,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(expected.length);
  let loaded = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return bytes.subarray(0, 0);
  for (;;) {
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await reader.read();
    } catch (error) {
      throw new MedleyError(
        'network',
        `${expected.path}: the connection ended after ${loaded} of ${expected.length} bytes; try again`,
        { cause: error },
      );
    }
    if (step.done) return bytes.subarray(0, loaded);
    if (loaded + step.value.byteLength > expected.length) {
      await reader.cancel();
      throw new MedleyError(
        'integrity',
        `${expected.path}: expected ${expected.length} bytes, found more; ` +
          'the file is of another version: reload, or have it uploaded again',
      );
    }
    bytes.set(step.value, loaded);
    loaded += step.value.byteLength;
    meter.advance(expected.path, loaded);
  }
}

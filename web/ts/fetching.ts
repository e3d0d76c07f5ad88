import { delay } from './cancel.js';
import { type Detail, inner, type Said, said } from './detail.js';
import { MedleyError } from './errors.js';
import type { ProgressMeter } from './progress.js';

/** A server that sends nothing for so long is asked again. */
export const STALL_MS = 15_000;

/** How long to wait before each further attempt; after the last one the failure is told. */
export const PAUSES_MS: readonly number[] = [250, 1000, 3000];

/** An attempt that gets this much further than any before it is no failed one: the pauses begin anew. */
const HEADWAY_BYTES = 64 * 1024;

/** What asking again may help with: no connection, a dropped one, a stalled or overloaded server. */
class Transient extends Error {
  readonly detail: Detail | null;

  constructor({ text, detail }: Said, options?: ErrorOptions) {
    super(text, options);
    this.detail = detail;
  }
}

/** Statuses with which a server says that it may do better later. */
const LATER = new Set([408, 425, 429, 500, 502, 503, 504]);

/** An open answer whose body can be read with a limit to its silence. */
interface Answer {
  response: Response;
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  /** Ends the connection. */
  stop(): void;
}

/** One attempt at a GET. */
async function ask(url: string, init: RequestInit, stallMs: number): Promise<Answer> {
  const controller = new AbortController();
  const patiently = async <T>(step: Promise<T>): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const seconds = stallMs / 1000;
        reject(new Transient(said(`the server sent nothing for ${seconds} s`, 'server-silent', { seconds })));
        controller.abort();
      }, stallMs);
    });
    try {
      return await Promise.race([step, stalled]);
    } catch (error) {
      if (error instanceof Transient) throw error;
      throw new Transient({ text: error instanceof Error ? error.message : String(error), detail: null }, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };
  const response = await patiently(fetch(url, { credentials: 'same-origin', ...init, signal: controller.signal }));
  if (!response.ok) {
    controller.abort();
    const answer = `${response.status} ${response.statusText}`.trimEnd();
    const why = `the server answered ${answer}`;
    if (LATER.has(response.status)) throw new Transient(said(why, 'http-status', { url, answer }));
    throw new MedleyError('network', said(`${url}: ${why}; check the address`, 'http-status', { url, answer }));
  }
  const reader = response.body?.getReader();
  return {
    response,
    read: async () => (reader === undefined ? { done: true, value: undefined } : patiently(reader.read())),
    stop: () => controller.abort(),
  };
}

/**
 * Repeats an attempt while that may help.
 *
 * @param furthest - how many bytes the attempts have come to so far.
 * @param pauses - before each further attempt, in milliseconds.
 */
async function persist<T>(
  url: string,
  attempt: () => Promise<T>,
  furthest: () => number,
  pauses: readonly number[] = PAUSES_MS,
): Promise<T> {
  let reached = 0;
  for (let pause = 0; ; pause++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      if (furthest() >= reached + HEADWAY_BYTES) {
        reached = furthest();
        pause = 0;
      }
      const wait = pauses[pause];
      if (wait === undefined) {
        const where = furthest() > 0 ? `; the connection ended after ${furthest()} bytes` : '';
        const attempts = pauses.length + 1;
        const text =
          `${url}: could not be fetched in ${attempts} attempts (${error.message})${where}; ` +
          'check the connection and the address, then try again';
        const why = inner({ text: error.message, detail: error.detail });
        throw new MedleyError('network', said(text, 'unreachable', { url, attempts, why }), { cause: error });
      }
      await delay(wait);
    }
  }
}

/**
 * GET of a whole small file; more than `most` bytes are not taken.
 *
 * @param pauses - before each further attempt, in milliseconds; empty: there is one attempt.
 */
export async function getSmall(
  url: string,
  most: number,
  stallMs: number,
  pauses: readonly number[] = PAUSES_MS,
): Promise<Uint8Array<ArrayBuffer>> {
  return persist(
    url,
    async () => {
      const answer = await ask(url, { cache: 'no-cache' }, stallMs);
      const parts: Uint8Array[] = [];
      let length = 0;
      for (let step = await answer.read(); !step.done; step = await answer.read()) {
        length += step.value.byteLength;
        if (length > most) {
          answer.stop();
          const text = `${url}: expected at most ${most} bytes, found more; check the address`;
          throw new MedleyError('package', said(text, 'file-too-long', { file: url, most }));
        }
        parts.push(step.value);
      }
      const bytes = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.byteLength;
      }
      return bytes;
    },
    () => 0,
    pauses,
  );
}

/**
 * GET of a file whose length is known. After a dropped connection only what is missing is asked
 * for (`Range`); a server that knows no ranges begins anew. Reading stops as soon as there is more
 * than was promised, so that a wrong file cannot fill the memory. Whether the bytes are the right
 * ones only their digest says.
 */
export async function download(
  url: string,
  expected: { path: string; length: number },
  meter: ProgressMeter,
  stallMs: number,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; resumed: boolean }> {
  const bytes = new Uint8Array(expected.length);
  let loaded = 0;
  let furthest = 0;
  let resumed = false;
  const attempt = async (): Promise<void> => {
    // The Cache API keeps the bytes; the browser's own cache would keep them a second time.
    const init: RequestInit = { cache: 'no-store' };
    if (loaded > 0) init.headers = { Range: `bytes=${loaded}-` };
    const answer = await ask(url, init, stallMs);
    if (loaded > 0) {
      if (answer.response.status === 206) resumed = true;
      else loaded = 0;
    }
    for (let step = await answer.read(); !step.done; step = await answer.read()) {
      if (loaded + step.value.byteLength > expected.length) {
        answer.stop();
        const text =
          `${expected.path}: expected ${expected.length} bytes, found more; ` +
          'the file is of another version: reload, or have it uploaded again';
        throw new MedleyError('integrity', said(text, 'file-too-long', { file: expected.path, most: expected.length }));
      }
      bytes.set(step.value, loaded);
      loaded += step.value.byteLength;
      furthest = Math.max(furthest, loaded);
      meter.advance(expected.path, loaded);
    }
  };
  await persist(url, attempt, () => furthest);
  return { bytes: bytes.subarray(0, loaded), resumed };
}

/** Bytes on their way to a compiler. */
interface Stream {
  response: Response;
  /** What broke the stream, if something did: the compiler tells of it in words of its own. */
  broken(): unknown;
}

/**
 * GET of code that is used while it streams in, its bytes reported to the meter as they pass. `use`
 * is called again with a new stream when one breaks.
 */
export async function streamed<T>(
  url: string,
  meter: ProgressMeter,
  stallMs: number,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    const { response, broken } = await openStream(url, meter, stallMs);
    try {
      return await use(response);
    } catch (error) {
      throw broken() ?? error;
    }
  };
  return persist(url, attempt, () => 0);
}

async function openStream(url: string, meter: ProgressMeter, stallMs: number): Promise<Stream> {
  const answer = await ask(url, {}, stallMs);
  const { headers } = answer.response;
  // The announced length is that of the compressed bytes where there is an encoding; ours are not.
  const length = Number(headers.get('Content-Length'));
  if (length > 0 && headers.get('Content-Encoding') === null) meter.expect(url, length);
  let loaded = 0;
  let trouble: unknown = null;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const step = await answer.read();
        if (step.done) {
          controller.close();
          return;
        }
        loaded += step.value.byteLength;
        meter.advance(url, loaded);
        controller.enqueue(step.value as Uint8Array<ArrayBuffer>);
      } catch (error) {
        trouble = error;
        controller.error(error);
      }
    },
    cancel: () => answer.stop(),
  });
  const type = headers.get('Content-Type') ?? 'application/octet-stream';
  return { response: new Response(body, { headers: { 'Content-Type': type } }), broken: () => trouble };
}

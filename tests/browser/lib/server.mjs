import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The content policy that must hold (design, section 6). */
export const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
  "style-src 'self'; img-src 'self' blob: data:";

/** The top of the repository. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/**
 * What a path answers with in place of its file.
 * @typedef {object} Override
 * @property {number} [status] - nothing but this
 * @property {Buffer} [body] - these bytes; the file's own if none
 * @property {number} [cutAfter] - the connection ends after so many bytes
 * @property {Promise<unknown>} [cutWhen] - and not before this is settled; at once if none
 * @property {number} [stallAfter] - nothing more comes after so many bytes
 * @property {number} [times] - for so many requests; for all if none
 */

/**
 * Serves folders with the policy on every answer, remembers every request, and can be told to
 * answer wrongly.
 *
 * @param {Record<string, string>} mounts - from a path that ends in `/` to the folder behind it.
 * @param {string} [policy]
 * @param {Record<string, string>} [more] - headers of every answer.
 * @param {Record<string, string>} [proxies] - addresses of other servers, by the paths that stand for them.
 */
export async function serve(mounts, policy = POLICY, more = {}, proxies = {}) {
  /** @type {{ method: string, path: string, length: number, range: string | undefined }[]} */
  const seen = [];
  /** @type {Map<string, Override>} */
  const overrides = new Map();
  // The longest prefix decides.
  const prefixes = Object.keys(mounts).sort((a, b) => b.length - a.length);
  /** The file behind a path, or `null`. @param {string} path */
  const find = (path) => {
    const prefix = prefixes.find((candidate) => path.startsWith(candidate));
    const folder = prefix === undefined ? undefined : mounts[prefix];
    if (prefix === undefined || folder === undefined) return null;
    const relative = normalize(path.slice(prefix.length) || 'index.html');
    if (relative.startsWith('..') || relative.startsWith(sep)) return null;
    const file = join(folder, relative);
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? file : null;
  };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const length = Number(request.headers['content-length'] ?? 0);
    seen.push({ method: request.method ?? '', path, length, range: request.headers.range });
    const headers = { 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff', ...more };
    const proxy = Object.keys(proxies).find((prefix) => path.startsWith(prefix));
    if (proxy !== undefined) return void pass(request, response, `${proxies[proxy]}${request.url?.slice(proxy.length)}`, headers);
    const fail = (/** @type {number} */ status) => response.writeHead(status, headers).end(`${status}`);
    if (request.method !== 'GET') return fail(405);
    const override = overrides.get(path);
    if (override?.times !== undefined && --override.times === 0) overrides.delete(path);
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(path) || '.html')] ?? 'application/octet-stream';
    if (override?.status !== undefined) return fail(override.status);
    const file = override?.body === undefined ? find(path) : null;
    const size = override?.body?.length ?? (file === null ? undefined : statSync(file).size);
    if (size === undefined) return fail(404);
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const start = Math.min(Number(range?.[1] ?? 0), size);
    const partial = range === null ? {} : { 'Content-Range': `bytes ${start}-${size - 1}/${size}` };
    response.writeHead(range === null ? 200 : 206, {
      ...headers,
      ...partial,
      'Content-Type': type,
      'Content-Length': size - start,
      'Accept-Ranges': 'bytes',
    });
    const end = override?.cutAfter ?? override?.stallAfter;
    if (end === undefined && file !== null) return createReadStream(file, { start }).pipe(response);
    const body = (override?.body ?? readFileSync(/** @type {string} */ (file))).subarray(start);
    if (end === undefined) return response.end(body);
    return response.write(body.subarray(0, end), async () => {
      await override?.cutWhen;
      if (override?.cutAfter !== undefined) response.destroy();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    // "localhost" is a secure context, as the page's own address will be.
    origin: `http://localhost:${address.port}`,
    seen,
    overrides,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve(undefined));
      }),
  };
}

/**
 * Hands a request on to another server, and its answer back.
 * @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response
 * @param {string} to @param {Record<string, string>} headers
 */
async function pass(request, response, to, headers) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { host: _, connection: __, 'content-length': ___, ...own } = request.headers;
  const body = request.method === 'POST' ? Buffer.concat(parts) : null;
  const answer = await fetch(to, { method: request.method ?? 'GET', headers: /** @type {Record<string, string>} */ (own), body });
  response.writeHead(answer.status, { ...headers, 'Content-Type': answer.headers.get('content-type') ?? '' });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

/** @typedef {Awaited<ReturnType<typeof serve>>} Server */

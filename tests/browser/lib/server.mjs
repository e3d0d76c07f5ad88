import { createReadStream, statSync } from 'node:fs';
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
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** What a path answers with in place of its file. */
/** @typedef {{ status?: number, body?: Buffer, cutAfter?: number }} Override */

/**
 * Serves folders with the policy on every answer, remembers every request, and can be told to
 * answer wrongly.
 *
 * @param {Record<string, string>} mounts - from a path that ends in `/` to the folder behind it.
 */
export async function serve(mounts) {
  /** @type {{ method: string, path: string, length: number }[]} */
  const seen = [];
  /** @type {Map<string, Override>} */
  const overrides = new Map();
  // The longest prefix decides.
  const prefixes = Object.keys(mounts).sort((a, b) => b.length - a.length);
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const length = Number(request.headers['content-length'] ?? 0);
    seen.push({ method: request.method ?? '', path, length });
    const headers = { 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' };
    const fail = (/** @type {number} */ status) => response.writeHead(status, headers).end(`${status}`);
    if (request.method !== 'GET') return fail(405);
    const override = overrides.get(path);
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(path) || '.html')] ?? 'application/octet-stream';
    if (override?.status !== undefined) return fail(override.status);
    if (override?.body !== undefined) {
      const body = override.body;
      response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': body.length });
      if (override.cutAfter === undefined) return response.end(body);
      return response.write(body.subarray(0, override.cutAfter), () => response.destroy());
    }
    const prefix = prefixes.find((candidate) => path.startsWith(candidate));
    const folder = prefix === undefined ? undefined : mounts[prefix];
    if (prefix === undefined || folder === undefined) return fail(404);
    const relative = normalize(path.slice(prefix.length) || 'index.html');
    if (relative.startsWith('..') || relative.startsWith(sep)) return fail(404);
    const file = join(folder, relative);
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return fail(404);
    response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': found.size });
    return createReadStream(file).pipe(response);
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

/** @typedef {Awaited<ReturnType<typeof serve>>} Server */

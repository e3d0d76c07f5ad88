import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { download, getSmall, streamed } from '../dist/fetching.js';
import { ProgressMeter } from '../dist/progress.js';

const FILE = randomBytes(300_000);
/** Short, so that a test of a stalled server is not one of patience. */
const STALL_MS = 400;

/** A server that answers each request as the next of `turns` says, the last one for good. */
async function serve(turns) {
  const ranges = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    ranges.push(range ?? null);
    const turn = turns[Math.min(ranges.length, turns.length) - 1];
    if (turn.status !== undefined) return response.writeHead(turn.status).end();
    const start = turn.ranges !== false && range !== undefined ? Number(/bytes=(\d+)-/.exec(range)[1]) : 0;
    const body = (turn.file ?? FILE).subarray(start);
    const headers = { 'Content-Length': body.length };
    response.writeHead(range !== undefined && turn.ranges !== false ? 206 : 200, headers);
    if (turn.cutAfter === undefined) return response.end(body);
    return response.write(body.subarray(0, turn.cutAfter), () => {
      if (turn.stall !== true) response.destroy();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, ranges };
}

const expected = { path: 'model.safetensors', length: FILE.length };

async function fetchFrom(turns) {
  const { url, ranges } = await serve(turns);
  const seen = [];
  const meter = new ProgressMeter(({ loaded }) => seen.push(loaded));
  const result = await download(url, expected, meter, STALL_MS);
  assert.ok(seen.every((now, i) => i === 0 || now >= seen[i - 1]), 'progress fell');
  return { ...result, ranges };
}

test('a dropped connection is taken up where it broke', async () => {
  const { bytes, ranges, resumed } = await fetchFrom([{ cutAfter: 100_000 }, {}]);
  assert.deepEqual(Buffer.from(bytes), FILE);
  assert.equal(ranges.length, 2);
  // All that was sent before the break need not have arrived; what is asked for is never the whole.
  assert.match(ranges[1], /^bytes=[1-9]\d*-$/);
  assert.ok(resumed);
});

test('a server that knows no ranges begins anew, and the bytes are right', async () => {
  const { bytes, resumed } = await fetchFrom([{ cutAfter: 100_000 }, { ranges: false }]);
  assert.deepEqual(Buffer.from(bytes), FILE);
  assert.equal(resumed, false);
});

test('a server that falls silent is asked again', async () => {
  const { bytes, ranges } = await fetchFrom([{ cutAfter: 50_000, stall: true }, {}]);
  assert.deepEqual(Buffer.from(bytes), FILE);
  assert.equal(ranges.length, 2);
});

test('an overloaded server is asked again', async () => {
  const { bytes } = await fetchFrom([{ status: 503 }, { status: 429 }, {}]);
  assert.deepEqual(Buffer.from(bytes), FILE);
});

test('a file that is not there is not asked for again', async () => {
  const { url, ranges } = await serve([{ status: 404 }]);
  const meter = new ProgressMeter(() => {});
  await assert.rejects(download(url, expected, meter, STALL_MS), { code: 'network', message: /404/ });
  assert.equal(ranges.length, 1);
});

test('a server that always breaks at the same place is given up', async () => {
  const { url, ranges } = await serve([{ cutAfter: 100_000, ranges: false }]);
  const meter = new ProgressMeter(() => {});
  await assert.rejects(download(url, expected, meter, STALL_MS), { code: 'network', message: /connection ended after \d+ bytes/ });
  // The first one, which at least came with bytes, and one after each pause.
  assert.equal(ranges.length, 4);
});

test('a longer file is refused before it is read', async () => {
  const { url } = await serve([{ file: Buffer.alloc(expected.length + 1) }]);
  const meter = new ProgressMeter(() => {});
  await assert.rejects(download(url, expected, meter, STALL_MS), { code: 'integrity', message: /found more/ });
});

test('a small file has its limit', async () => {
  const { url } = await serve([{ file: Buffer.from('{}') }]);
  assert.equal(Buffer.from(await getSmall(url, 2, STALL_MS)).toString(), '{}');
  await assert.rejects(getSmall(url, 1, STALL_MS), { code: 'package' });
});

test('code that breaks off while it streams is streamed again', async () => {
  const { url, ranges } = await serve([{ cutAfter: 100_000 }, {}]);
  const meter = new ProgressMeter(() => {});
  const bytes = await streamed(url, meter, STALL_MS, async (response) => Buffer.from(await response.arrayBuffer()));
  assert.deepEqual(bytes, FILE);
  assert.equal(ranges.length, 2);
});

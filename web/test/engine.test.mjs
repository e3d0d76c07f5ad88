import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../dist/engine.js';

/** A worker that answers `load` by itself and leaves the rest to the test. */
class FakeWorker extends EventTarget {
  asked = [];
  terminated = false;
  constructor(kind) {
    super();
    this.kind = kind;
  }
  postMessage(message, transfer) {
    if (message.call === 'load') {
      const kind = message.request.device === 'wasm' ? 'wasm' : this.kind;
      if (this.kind === 'threads' && message.request.threads > 1) {
        this.say({ type: 'progress', id: message.id, progress: { fraction: 0.9 } });
        const { port1, port2 } = new MessageChannel();
        this.say({ type: 'thread', crashes: port1 });
        port2.postMessage({ code: 'crashed', message: 'the thread broke', detail: null });
        this.port = port1;
        return;
      }
      if (this.kind === 'threads') {
        this.say({ type: 'progress', id: message.id, progress: { fraction: 0.2 } });
        this.loaded = message.request;
      }
      if (kind === 'broken') this.say({ type: 'error', id: message.id, error: { code: 'network', message: 'offline' } });
      else this.say({ type: 'answer', id: message.id, answer: { backend: { kind, reason: 'test' } }, memory: {} });
    } else {
      this.asked.push({ ...message, transfer });
    }
  }
  terminate() {
    this.port?.close();
    this.terminated = true;
  }
  say(data) {
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event('message'), { data })));
  }
}

/** Lets everything happen that can. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

async function start(kinds, device = 'auto', { threads = 1, onProgress } = {}) {
  const workers = [];
  const spawn = () => {
    const worker = new FakeWorker(kinds[Math.min(workers.length, kinds.length - 1)]);
    workers.push(worker);
    return worker;
  };
  const engine = await Engine.start(spawn, { device, threads, failures: [] }, { onProgress });
  const events = [];
  for (const name of ['backendchange', 'error']) engine.events.on(name, (event) => events.push([name, event]));
  return { engine, workers, events };
}

test('calls go to the worker one at a time', async () => {
  const { engine, workers: [worker] } = await start(['wasm']);
  const calls = [engine.call('preview', { n: 1 }), engine.call('preview', { n: 2 })];
  await settle();
  assert.deepEqual(worker.asked.map(({ request }) => request.n), [1]);
  worker.say({ type: 'answer', id: worker.asked[0].id, answer: 'one', memory: {} });
  await settle();
  worker.say({ type: 'answer', id: worker.asked[1].id, answer: 'two', memory: {} });
  assert.deepEqual(await Promise.all(calls), ['one', 'two']);
});

test('a waiting call that is cancelled never reaches the worker', async () => {
  const { engine, workers: [worker] } = await start(['wasm']);
  const first = engine.call('preview', { n: 1 });
  const controller = new AbortController();
  const second = engine.call('preview', { n: 2 }, { signal: controller.signal });
  const third = engine.call('preview', { n: 3 });
  controller.abort();
  await assert.rejects(second, { name: 'AbortError' });
  await settle();
  worker.say({ type: 'answer', id: worker.asked[0].id, answer: 1, memory: {} });
  await settle();
  assert.deepEqual(worker.asked.map(({ request }) => request.n), [1, 3]);
  worker.say({ type: 'answer', id: worker.asked[1].id, answer: 3, memory: {} });
  assert.deepEqual(await Promise.all([first, third]), [1, 3]);
});

test('a call that loses its GPU is answered by a new one, and its pixels were not given away', async () => {
  const { engine, workers, events } = await start(['webgpu']);
  const image = { form: 'rgba', name: '', width: 1, height: 2, data: new Uint8Array(8) };
  const call = engine.call('preview', { image });
  await settle();
  assert.deepEqual(workers[0].asked[0].transfer, []);
  workers[0].say({ type: 'device-lost', reason: 'unplugged' });
  await settle();
  assert.ok(workers[0].terminated);
  workers[1].say({ type: 'answer', id: workers[1].asked[0].id, answer: 'late', memory: {} });
  assert.equal(await call, 'late');
  assert.equal(engine.loaded.backend.kind, 'webgpu');
  const [[name, change]] = events;
  assert.equal(name, 'backendchange');
  assert.match(change.cause, /unplugged/);
});

test('a call on the CPU gives its pixels away', async () => {
  const { engine, workers } = await start(['wasm']);
  const image = { form: 'rgba', name: '', width: 1, height: 2, data: new Uint8Array(8) };
  engine.call('preview', { image }).catch(() => {});
  await settle();
  assert.deepEqual(workers[0].asked[0].transfer, [image.data.buffer]);
});

test('a GPU that is lost twice in short order is left for the CPU', async () => {
  const { engine, workers, events } = await start(['webgpu']);
  const call = engine.call('preview', {});
  await settle();
  workers[0].say({ type: 'device-lost', reason: 'x' });
  await settle();
  workers[1].say({ type: 'device-lost', reason: 'x' });
  await settle();
  workers[2].say({ type: 'answer', id: workers[2].asked[0].id, answer: 'cpu', memory: {} });
  assert.equal(await call, 'cpu');
  assert.deepEqual(events.map(([, { to }]) => to.kind), ['webgpu', 'wasm']);
});

test('a call that crashes rejects, and the next one is answered by a new worker', async () => {
  const { engine, workers } = await start(['wasm']);
  const bad = engine.call('preview', { n: 1 });
  const good = engine.call('preview', { n: 2 });
  await settle();
  workers[0].say({ type: 'crashed', error: { code: 'crashed', message: 'boom' } });
  await assert.rejects(bad, { code: 'crashed', message: 'boom' });
  await settle();
  workers[1].say({ type: 'answer', id: workers[1].asked[0].id, answer: 'good', memory: {} });
  assert.equal(await good, 'good');
});

test('a model that cannot be started anew says so and is closed', async () => {
  const { engine, workers, events } = await start(['wasm', 'broken']);
  const call = engine.call('preview', {});
  await settle();
  workers[0].say({ type: 'crashed', error: { code: 'crashed', message: 'boom' } });
  await assert.rejects(call, { code: 'crashed' });
  await settle();
  assert.deepEqual(events.map(([name]) => name), ['error']);
  assert.match(events[0][1].message, /boom.*offline/);
  await assert.rejects(engine.call('preview', {}), { code: 'network' });
});

test('a model that crashes again and again is given up', async () => {
  const { engine, workers } = await start(['wasm']);
  for (let i = 0; i < 4; i++) {
    const call = engine.call('preview', {});
    await settle();
    workers[i].say({ type: 'crashed', error: { code: 'crashed', message: 'boom' } });
    await assert.rejects(call, { code: 'crashed' });
    await settle();
  }
  assert.equal(workers.length, 4);
  await assert.rejects(engine.call('preview', {}), { message: /4 times in a row/ });
});

test('disposal rejects what runs and what waits', async () => {
  const { engine, workers: [worker] } = await start(['wasm']);
  const calls = [engine.call('preview', {}), engine.call('preview', {})];
  await settle();
  engine.close(Object.assign(new Error('gone'), { code: 'disposed' }));
  for (const call of calls) await assert.rejects(call, { code: 'disposed' });
  assert.ok(worker.terminated);
});

test('a thread that breaks while the model is loaded costs the threads, not the model', async () => {
  const shares = [];
  const { engine, workers } = await start(['threads'], 'wasm', { threads: 4, onProgress: ({ fraction }) => shares.push(fraction) });
  assert.equal(workers.length, 2);
  assert.ok(workers[0].terminated);
  assert.equal(workers[1].loaded.threads, 1);
  assert.deepEqual(workers[1].loaded.failures.map(({ text }) => text), ['WebAssembly in several threads: the thread broke']);
  // The share of what is done does not fall.
  assert.deepEqual(shares, [0.9, 0.9]);
  assert.equal(engine.closed, null);
});

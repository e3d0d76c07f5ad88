import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../dist/channel.js';

/** A worker that remembers what it is told and says what the test wants. */
class FakeWorker extends EventTarget {
  told = [];
  terminated = false;
  postMessage(message) {
    this.told.push(message);
  }
  terminate() {
    this.terminated = true;
  }
  say(data) {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}

function open() {
  const worker = new FakeWorker();
  return { worker, channel: new Channel(worker) };
}

test('an answer goes to the call that it belongs to', async () => {
  const { worker, channel } = open();
  const first = channel.call('analyze', {});
  const second = channel.call('analyze', {});
  worker.say({ type: 'answer', id: worker.told[1].id, answer: 'b' });
  worker.say({ type: 'answer', id: worker.told[0].id, answer: 'a' });
  assert.deepEqual(await Promise.all([first, second]), ['a', 'b']);
});

test('a cancelled call rejects with the reason and tells the worker', async () => {
  const { worker, channel } = open();
  const controller = new AbortController();
  const call = channel.call('analyze', {}, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(call, /enough/);
  assert.deepEqual(worker.told.at(-1), { cancel: worker.told[0].id });
  // The answer may come all the same.
  worker.say({ type: 'answer', id: worker.told[0].id, answer: 'late' });
});

test('a crash rejects what waits and what comes after', async () => {
  const { worker, channel } = open();
  const call = channel.call('analyze', {});
  worker.say({ type: 'crashed', error: { code: 'crashed', message: 'boom' } });
  await assert.rejects(call, { name: 'MedleyError', code: 'crashed', message: 'boom' });
  await assert.rejects(channel.call('analyze', {}), { code: 'crashed' });
  assert.ok(worker.terminated);
});

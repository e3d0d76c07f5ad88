import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emitter } from '../dist/events.js';

test('a listener hears its event alone, and nothing more once it has left', () => {
  const events = new Emitter();
  const heard = [];
  const leave = events.on('progress', (value) => heard.push(value));
  events.on('error', (value) => heard.push(`error ${value}`));
  events.emit('progress', 1);
  leave();
  leave();
  events.emit('progress', 2);
  events.emit('error', 3);
  assert.deepEqual(heard, [1, 'error 3']);
});

test('a function that listens twice leaves once at a time', () => {
  const events = new Emitter();
  let heard = 0;
  const listener = () => (heard += 1);
  const leave = events.on('progress', listener);
  events.on('progress', listener);
  events.emit('progress', 0);
  leave();
  events.emit('progress', 0);
  assert.equal(heard, 3);
});

test('a listener that throws keeps the event from nobody, and is reported as uncaught', (t) => {
  const later = [];
  t.mock.method(globalThis, 'queueMicrotask', (work) => later.push(work));
  const events = new Emitter();
  const heard = [];
  events.on('progress', () => {
    throw new Error('mine');
  });
  events.on('progress', (value) => heard.push(value));
  events.emit('progress', 7);
  assert.deepEqual(heard, [7]);
  assert.equal(later.length, 1);
  assert.throws(later[0], /mine/);
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inner, passedOver, said } from '../dist/detail.js';
import { fromErrorData, MedleyError, toErrorData } from '../dist/errors.js';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('every code that Rust gives is one that the types know', () => {
  const known = new Set([...read('../ts/detail.ts').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code));
  const given = ['../src/error.rs', '../dicom/src/error.rs'].flatMap((file) =>
    [...read(file).matchAll(/Detail::new\("([^"]+)"\)/g)].map(([, code]) => code),
  );
  assert.ok(given.length > 20, `${given.length} codes`);
  assert.deepEqual(given.filter((code) => !known.has(code)), []);
});

/** All lines of source code below a folder. */
function sources(folder, ending) {
  return readdirSync(new URL(folder, import.meta.url), { recursive: true })
    .filter((file) => file.endsWith(ending))
    .map((file) => read(`${folder}/${file}`))
    .join('\n');
}

test('every phrase that the page has German for is one that the code says', () => {
  const [, list = ''] = /const PHRASES[^{]*\{([^]*?)\n\}/.exec(read('../../www/src/language/messages.ts')) ?? [];
  const phrases = [...list.matchAll(/^ {2}(?:'([^']+)'|"([^"]+)"|(\w+)): /gm)].map(([, one, two, three]) => one ?? two ?? three);
  assert.ok(phrases.length > 20, `${phrases.length} phrases`);
  const code = ['../../crates/medley-image/src', '../../crates/medley-dicom/src', '../../crates/medley-head/src', '../dicom/src', '../src']
    .map((folder) => sources(folder, '.rs'))
    .concat(sources('../ts', '.ts'))
    .join('\n');
  assert.deepEqual(phrases.filter((phrase) => !code.includes(`"${phrase}"`) && !code.includes(`'${phrase}'`)), []);
});

test('a detail goes with its error from the worker to the page', () => {
  const error = new MedleyError('network', said('the server answered 404', 'http-status', { url: '/x', answer: '404' }));
  const data = structuredClone(toErrorData(error));
  const copy = fromErrorData(data);
  assert.equal(copy.message, 'the server answered 404');
  assert.deepEqual(copy.detail, { code: 'http-status', values: { url: '/x', answer: '404' } });
  assert.equal(new MedleyError('internal', 'anything').detail, null);
});

test('a sentence without a code stands in another one in English', () => {
  const failed = passedOver('webgpu-failed', { text: 'Failed to fetch', detail: null });
  assert.equal(failed.text, 'WebGPU: Failed to fetch');
  assert.deepEqual(inner(failed), { code: 'webgpu-failed', values: { why: 'Failed to fetch' } });
});

test('what Rust throws keeps its detail', () => {
  const detail = { code: 'image-empty', values: { width: 0, height: 3 } };
  const thrown = Object.assign(new Error('the picture is 0x3 pixels'), { code: 'image', detail });
  assert.deepEqual(toErrorData(thrown), { code: 'image', message: 'the picture is 0x3 pixels', detail });
});

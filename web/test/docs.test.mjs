import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** What the entries of the package export from. */
const PUBLIC = [
  'cache', 'detail', 'device', 'engine', 'errors', 'head', 'images', 'load', 'masks', 'model', 'notice', 'options', 'progress', 'report',
  'slim', 'types', 'rust-types', 'version', 'embed-protocol', 'element/messages', 'element/viewer', 'dicom/analyze', 'dicom/open',
  'dicom/protocol', 'dicom/reader', 'dicom/results', 'dicom/rust-types', 'dicom/series', 'dicom/sniff', 'dicom/web',
];
const ENTRIES = ['index', 'slim', 'element', 'embed', 'dicom', 'exports'];

const read = (file) => readFileSync(new URL(`../dist/${file}.d.ts`, import.meta.url), 'utf8');

/** Names that the entries give, star exports by their files' own names. */
function exported() {
  const names = new Set();
  for (const entry of ENTRIES) {
    for (const [, list] of read(entry).matchAll(/export (?:type )?\{([^}]*)\}/g)) {
      for (const name of list.split(',')) names.add(name.replace(/\btype\b/, '').trim());
    }
  }
  names.delete('');
  return names;
}

/** Declarations without a comment before them: names, and members of classes and interfaces as `Name.member`. */
function undocumented(text) {
  const lines = text.split('\n');
  let inside = '';
  return lines.flatMap((line, i) => {
    const commented = lines[i - 1]?.trimEnd().endsWith('*/') ?? false;
    const [, kind, declared] = /^export (?:declare )?(?:abstract )?(class|interface|type|function|const) (\w+)/.exec(line) ?? [];
    if (declared !== undefined) {
      // What a type chooses from is said of each choice as a whole.
      inside = kind === 'type' ? '' : declared;
      return commented ? [] : [declared];
    }
    const [, member] = /^ {4}(?:static |readonly |abstract |get |set |async )*(\w+)\??(?:<[^>]*>)?[(:]/.exec(line) ?? [];
    if (member === undefined || member === 'constructor' || commented) return [];
    return [`${inside}.${member}`];
  });
}

test('everything that the package exports says what it is', () => {
  const names = exported();
  assert.ok(names.size > 50, `${names.size} names`);
  for (const file of PUBLIC) {
    const missing = undocumented(read(file)).filter((name) => names.has(name.split('.')[0]));
    assert.deepEqual(missing, [], file);
  }
});

test('the files that are looked through have all that is exported', () => {
  const all = PUBLIC.map(read).join('\n');
  const lost = [...exported()].filter((name) => !new RegExp(`(class|interface|type|function|const) ${name}\\b`).test(all));
  assert.deepEqual(lost, []);
});

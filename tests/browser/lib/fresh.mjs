// A model without training, small enough for a software GPU.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from './command-line.mjs';

/** Writes the package "medley-fresh"; the folder that it is in. */
export function freshModel() {
  const folder = mkdtempSync(join(tmpdir(), 'medley-fresh-'));
  execFileSync(binary('fresh-package', 'medley-tests'), [folder]);
  return folder;
}

/**
 * The same package in `count` shards.
 * @param {string} folder - of a package in one
 * @param {number} count
 */
export function shardModel(folder, count) {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const whole = Buffer.concat(
    manifest.shards.map((/** @type {{ path: string }} */ { path }) => readFileSync(join(folder, path))),
  );
  const target = mkdtempSync(join(tmpdir(), 'medley-shards-'));
  const size = Math.ceil(whole.length / count);
  manifest.shards = Array.from({ length: count }, (_, i) => {
    const bytes = whole.subarray(i * size, (i + 1) * size);
    const path = `part-${i + 1}.bin`;
    writeFileSync(join(target, path), bytes);
    return { path, length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  writeFileSync(join(target, 'manifest.json'), JSON.stringify(manifest));
  return target;
}

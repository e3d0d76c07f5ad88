import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './server.mjs';
import { MODEL_FOLDER } from './site.mjs';

const run = promisify(execFile);

/** The command line's binary: `MEDLEY_BIN`, or where cargo puts it. */
function binary() {
  const target = process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'target');
  const places = [process.env['MEDLEY_BIN'], join(target, 'release/medley'), join(target, 'debug/medley')];
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (found === undefined) throw new Error('no medley binary: cargo build -p medley-cli, or set MEDLEY_BIN');
  return found;
}

/**
 * What the command line answers about an image, with the same package as the page's.
 * @param {string} image - a path
 * @param {string[]} [tasks] - all if none
 * @returns {Promise<import('@medley/web').Report>}
 */
export async function predict(image, tasks = []) {
  const named = tasks.flatMap((task) => ['--task', task]);
  const { stdout } = await run(binary(), ['predict', '--model', MODEL_FOLDER, '--json', ...named, image], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}

/**
 * The exit code for an image that may be bad, and what was said.
 * @param {string} image @param {string[]} [tasks]
 */
export async function predictFails(image, tasks = []) {
  try {
    await predict(image, tasks);
    return { code: 0, stderr: '' };
  } catch (error) {
    const { code, stderr } = /** @type {{ code: number, stderr: string }} */ (error);
    return { code, stderr };
  }
}

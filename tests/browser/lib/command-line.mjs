import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './server.mjs';
import { MODEL_FOLDER } from './site.mjs';

const run = promisify(execFile);

/**
 * A binary of the workspace, where cargo puts it.
 * @param {string} name @param {string} crate @param {string | undefined} [named] - where else it may be
 */
export function binary(name, crate, named) {
  const target = process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'target');
  const places = [named, join(target, 'release', name), join(target, 'debug', name)];
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (found === undefined) throw new Error(`no ${name} in ${target}: cargo build -p ${crate}`);
  return found;
}

/** The command line's: `MEDLEY_BIN`, or as above. */
const medley = () => binary('medley', 'medley-cli', process.env['MEDLEY_BIN']);

/**
 * What the command line answers about an image, with the same package as the page's.
 * @param {string} image - a path
 * @param {string[]} [tasks] - all if none
 * @returns {Promise<import('@medley/web').Report>}
 */
export async function predict(image, tasks = []) {
  const named = tasks.flatMap((task) => ['--task', task]);
  const { stdout } = await run(medley(), ['predict', '--model', MODEL_FOLDER, '--json', ...named, image], {
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

// Compiles the kernels for WebAssembly with and without relaxed SIMD, and times them in Chromium.
//   node crates/medley-kernels/benches/wasm/run.mjs
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../../../../tests/browser/lib/chromium.mjs';

const source = fileURLToPath(new URL('layers.rs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'medley-kernels-'));
const FLAGS = ['--edition', '2024', '--crate-type', 'cdylib', '--target', 'wasm32-unknown-unknown', '--cap-lints', 'allow'];
const OPTIMIZE = ['opt-level=3', 'panic=abort', 'codegen-units=1', 'target-feature=+simd128'].flatMap((flag) => ['-C', flag]);
const browser = await launch();
try {
  for (const [name, flags] of [
    ['mul and add', []],
    ['relaxed_madd', ['--cfg', 'feature="relaxed-simd"']],
  ]) {
    const file = join(folder, 'layers.wasm');
    execFileSync('rustc', [source, ...FLAGS, ...OPTIMIZE, ...flags, '-o', file], { stdio: 'inherit' });
    const page = await browser.newPage();
    console.log(`\n${name}:\n${await page.evaluate(run, readFileSync(file, 'base64'))}`);
    await page.close();
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}

/**
 * In the page.
 * @param {string} module
 */
async function run(module) {
  const bytes = Uint8Array.from(atob(module), (byte) => byte.charCodeAt(0));
  const lines = /** @type {string[]} */ ([]);
  /** @type {{ instance: WebAssembly.Instance }} */
  const { instance } = await WebAssembly.instantiate(bytes, {
    host: {
      clock: () => performance.now(),
      print: (/** @type {number} */ at, /** @type {number} */ length) => {
        const { buffer } = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
        lines.push(new TextDecoder().decode(new Uint8Array(buffer, at, length)));
      },
    },
  });
  /** @type {() => void} */ (instance.exports.run)();
  return lines.join('\n');
}

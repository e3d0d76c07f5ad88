// Swin V2 in the browser against torchvision's stored answers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './lib/chromium.mjs';
import { ROOT, serve } from './lib/server.mjs';

/**
 * The bound for WebGPU, whose shaders may fuse and reorder. The CPU build shares it: the
 * native test (`crates/medley-model/tests/swin_parity.rs`) holds the CPU to 1e-4.
 */
const TOLERANCE = 1e-3;

/** SwiftShader takes some seconds for each, a busy machine more. */
const PATIENCE = 400_000;

/** @type {import('./lib/server.mjs').Server} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  server = await serve({
    '/web/': join(ROOT, 'web'),
    '/harness/': join(ROOT, 'tests/browser/harness'),
    '/fixtures/': join(ROOT, 'tests/fixtures'),
  });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.close();
});

for (const build of ['cpu', 'cpu-relaxed', 'webgpu']) {
  test(`every stage agrees (${build})`, { timeout: PATIENCE }, async (t) => {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/harness/index.html`);
    // One worker for all cases: most of SwiftShader's time goes into compiling shaders once.
    await page.evaluate((build) => {
      const worker = new Worker('/harness/parity.worker.js', { type: 'module', name: build });
      Object.assign(window, { worker });
    }, build);
    for (const name of ['square', 'padded', 'small']) {
      await t.test(name, async (t) => {
        const { errors = [], failure } = await page.evaluate(runCase, name);
        assert.equal(failure, undefined);
        t.diagnostic(`worst errors of the stages: ${errors.map((error) => error.toExponential(1)).join(' ')}`);
        assert.equal(errors.length, 4);
        for (const [i, error] of errors.entries()) assert.ok(error <= TOLERANCE, `stage ${i + 1}: ${error}`);
      });
    }
    await page.close();
  });
}

/**
 * Runs in the page.
 * @param {string} name
 * @returns {Promise<{ errors?: number[], failure?: string }>}
 */
async function runCase(name) {
  const golden = await (await fetch('/fixtures/swin_v2_micro.safetensors')).arrayBuffer();
  const { worker } = /** @type {{ worker: Worker }} */ (/** @type {unknown} */ (window));
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ failure: message });
    worker.postMessage({ golden, name }, [golden]);
  });
}

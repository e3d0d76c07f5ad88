// The package as others get it: packed, installed, built by their tools, run under the strict policy.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build as viteBuild } from 'vite';
import webpack from 'webpack';
import { launch } from './lib/chromium.mjs';
import { freshModel } from './lib/fresh.mjs';
import { FRESH } from './lib/harness.mjs';
import { ROOT, serve } from './lib/server.mjs';

const CONSUMERS = join(ROOT, 'tests/consumers');

/** @type {string} */
let folder;
/** @type {string} */
let tarball;
/** @type {string} */
let model;
/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'medley-consumers-'));
  const packed = npm(ROOT, 'pack', '--workspace', 'web', '--pack-destination', folder, '--json');
  tarball = join(folder, JSON.parse(packed)[0].filename);
  model = freshModel();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** @param {string} cwd @param {string[]} args */
function npm(cwd, ...args) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A copy of the consumer with the package installed from the packed file alone. @param {string} name */
function install(name) {
  const project = join(folder, name);
  cpSync(join(CONSUMERS, name), project, { recursive: true });
  npm(project, 'install', '--offline', '--no-audit', '--no-fund', tarball);
  return project;
}

/** Opens a built consumer and waits for its title. @param {string} site @param {Record<string, string>} [more] */
async function run(site, more = {}) {
  const server = await serve({ '/': site, [FRESH]: model, ...more });
  const page = await browser.newPage();
  /** @type {string[]} */
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  try {
    await page.goto(`${server.origin}/index.html`);
    await page.waitForFunction(() => document.title !== 'waiting', null, { timeout: 60_000 }).catch((error) => {
      throw new Error(`${error.message}\n${troubles.join('\n')}`);
    });
    assert.deepEqual(troubles, []);
    assert.equal(await page.evaluate(() => crossOriginIsolated), false);
    return { title: await page.title(), paths: server.seen.map(({ path }) => path) };
  } finally {
    await page.close();
    await server.close();
  }
}

test('the packed file has scripts, types, worker, wasm and the frame’s page, and nothing else', () => {
  const project = install('plain');
  const root = join(project, 'node_modules/@medley/web');
  assert.deepEqual(readdirSync(root).sort(), ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'dist', 'embed', 'ohif', 'package.json', 'pkg']);
  for (const file of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/slim.js',
    'dist/element.js',
    'dist/thread.js',
    'dist/worker.js',
    'embed/embed.html',
    'pkg/cpu/medley_web_bg.wasm',
    'pkg/cpu-relaxed/medley_web_bg.wasm',
    'pkg/cpu-threads/medley_web_bg.wasm',
    'pkg/webgpu/medley_web_bg.wasm',
    'dist/dicom.js',
    'dist/dicom/worker.js',
    'pkg/dicom/medley_web_dicom_bg.wasm',
    'ohif/medley-ohif.js',
  ]) {
    assert.ok(existsSync(join(root, file)), file);
  }
});

test('a plain page uses the slim entry and says where the files are', async () => {
  const project = join(folder, 'plain');
  const { title, paths } = await run(project, { '/elsewhere/': join(project, 'node_modules/@medley/web/') });
  assert.equal(title, '3 answers, 1 file');
  assert.deepEqual(paths.filter((path) => path.endsWith('.wasm')), [
    '/elsewhere/pkg/cpu/medley_web_bg.wasm',
    '/elsewhere/pkg/dicom/medley_web_dicom_bg.wasm',
  ]);
});

test('Vite bundles it, and its types hold', { timeout: 180_000 }, async () => {
  const project = install('vite');
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', project], { encoding: 'utf8' });
  await viteBuild({ root: project, logLevel: 'error' });
  const { title, paths } = await run(join(project, 'dist'));
  assert.equal(title, '3 answers, 3 in the element, 1 file');
  // One worker for the call and one for the element; the large build is not fetched for WebAssembly.
  const wasm = paths.filter((path) => path.endsWith('.wasm'));
  // And the DICOM reader's own.
  assert.equal(new Set(wasm).size, 2);
});

test('webpack bundles it', { timeout: 180_000 }, async () => {
  const project = install('webpack');
  const config = (await import(join(project, 'webpack.config.js'))).default;
  await new Promise((resolve, reject) => {
    webpack({ ...config, context: project, output: { ...config.output, path: join(project, 'dist') } }, (error, stats) => {
      const trouble = error ?? (stats?.hasErrors() ? new Error(stats.toString('errors-only')) : null);
      if (trouble === null) resolve(undefined);
      else reject(trouble);
    });
  });
  cpSync(join(project, 'index.html'), join(project, 'dist/index.html'));
  assert.equal((await run(join(project, 'dist'))).title, '3 answers, 1 file');
});

// @medley/web without a bundler, on a page that has nothing else: no build of www is needed.
import { join } from 'node:path';
import { launch } from './chromium.mjs';
import { freshModel, shardModel } from './fresh.mjs';
import { POLICY, ROOT, serve } from './server.mjs';

/** Where the models lie on the server. */
export const NANO = '/models/medley-nano/';
/** A micro model without training; `FRESH_SHARDS` is the same in three parts. */
export const FRESH = '/models/fresh/';
export const FRESH_SHARDS = '/models/fresh-shards/';

/** SwiftShader computes about 0.2 GFLOP/s, and compiles every shader first. */
export const SOFTWARE_GPU_PATIENCE = 400_000;

/** A page with a frame of another origin must allow that frame. */
const PORTAL_POLICY = `${POLICY}; frame-src http://localhost:*`;

/** What makes a page cross-origin isolated, on every answer. */
export const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/**
 * A browser, and a server with the package and three models.
 * @param {Record<string, string>} [more] - folders beside them
 * @param {Record<string, string>} [proxies] - addresses of other servers, by the paths that stand for them
 * @param {string} [policy] - of the pages
 */
export async function openHarness(more = {}, proxies = {}, policy = POLICY) {
  const fresh = freshModel();
  const mounts = {
    '/web/': join(ROOT, 'web'),
    '/elsewhere/': join(ROOT, 'web'),
    '/harness/': join(ROOT, 'tests/browser/harness'),
    [NANO]: join(ROOT, 'www/models/medley-nano'),
    [FRESH]: fresh,
    [FRESH_SHARDS]: shardModel(fresh, 3),
    ...more,
  };
  const server = await serve(mounts, policy, {}, proxies);
  // The same on a site whose pages may share memory with their workers.
  const isolated = await serve(mounts, POLICY, ISOLATION);
  // The same harness on another port, which is another origin: a site that has the viewer in a frame.
  const portal = await serve({ '/harness/': join(ROOT, 'tests/browser/harness') }, PORTAL_POLICY);
  const browser = await launch();
  return {
    server,
    portal,
    isolated,
    browser,
    /**
     * A page in a profile of its own.
     * @param {string} [path] - without one, a page with the package at `window.medley`
     * @param {{ on?: 'server' | 'portal' | 'isolated' }} [options] - on which origin
     */
    async open(path, options = {}) {
      const context = await browser.newContext();
      const page = await context.newPage();
      /** @type {string[]} */
      const troubles = [];
      page.on('pageerror', (error) => troubles.push(`uncaught: ${error.message}`));
      page.on('console', (message) => {
        if (/content security policy/i.test(message.text())) troubles.push(message.text());
      });
      await page.goto({ server, portal, isolated }[options.on ?? 'server'].origin + (path ?? '/harness/index.html'));
      if (path === undefined) await page.waitForFunction(() => document.title === 'loaded');
      return { context, page, troubles };
    },
    async close() {
      await browser.close();
      await portal.close();
      await isolated.close();
      await server.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openHarness>>} Harness */

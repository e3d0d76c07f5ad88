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

/**
 * A browser, and a server with the package and three models.
 * @param {Record<string, string>} [mounts] - more folders
 * @param {Record<string, string>} [proxies] - addresses of other servers, by the paths that stand for them
 */
export async function openHarness(mounts = {}, proxies = {}) {
  const fresh = freshModel();
  const server = await serve({
    '/web/': join(ROOT, 'web'),
    '/elsewhere/': join(ROOT, 'web'),
    '/harness/': join(ROOT, 'tests/browser/harness'),
    [NANO]: join(ROOT, 'www/models/medley-nano'),
    [FRESH]: fresh,
    [FRESH_SHARDS]: shardModel(fresh, 3),
    ...mounts,
  }, POLICY, {}, proxies);
  // The same harness on another port, which is another origin: a site that has the viewer in a frame.
  const portal = await serve({ '/harness/': join(ROOT, 'tests/browser/harness') }, PORTAL_POLICY);
  const browser = await launch();
  return {
    server,
    portal,
    browser,
    /**
     * A page in a profile of its own.
     * @param {string} [path] - without one, a page with the package at `window.medley`
     * @param {{ portal?: boolean }} [options] - on which origin
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
      await page.goto((options.portal === true ? portal : server).origin + (path ?? '/harness/index.html'));
      if (path === undefined) await page.waitForFunction(() => document.title === 'loaded');
      return { context, page, troubles };
    },
    async close() {
      await browser.close();
      await portal.close();
      await server.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openHarness>>} Harness */

// The page for everybody: axe-core, small and large screens, reduced motion.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chooseSample } from './lib/page.mjs';
import { modelReady, openPage, openSite } from './lib/site.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/** What axe-core finds on the page as it is. @param {import('playwright-core').Page} page */
async function violations(page) {
  // Through the debugger: the page's own policy would not let another script in.
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    // @ts-expect-error made by the script above
    const { violations } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations;
  });
  return /** @type {import('axe-core').Result[]} */ (found).map(({ id, impact, nodes }) => ({
    id,
    impact,
    where: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.split('\n')[1] ?? ''}`),
  }));
}

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe-core finds nothing in the ${colorScheme} colours: empty, with answers, in every panel`, async () => {
    const { context, page } = await openPage(site, '/?device=wasm', { colorScheme, reducedMotion: 'reduce' });
    await modelReady(page);
    await page.locator('.sample:disabled').first().waitFor({ state: 'detached' });
    assert.deepEqual(await violations(page), []);
    await chooseSample(page, 'breast-ultrasound');
    await chooseSample(page, 'nuclei');
    await page.getByText('As JSON').click();
    await page.getByText(/^Tasks to ask/).click();
    await page.locator('#sort-by').selectOption({ index: 3 });
    assert.deepEqual(await violations(page), []);
    await page.getByRole('tab', { name: 'Teach it' }).click();
    assert.deepEqual(await violations(page), [], 'teach');
    await page.getByText('Pixels', { exact: true }).click();
    await page.locator('#head-name').fill('nuclei by hand');
    await page.getByLabel('Class 2').fill('nucleus');
    assert.deepEqual(await violations(page), [], 'teach pixels');
    await page.locator('#teach-begin').click();
    await page.locator('#brush').waitFor();
    assert.deepEqual(await violations(page), [], 'brush');
    // As it is while the whole list is being asked.
    await page.locator('.asking').evaluate((element) => element.removeAttribute('hidden'));
    assert.deepEqual(await violations(page), [], 'asking');
    for (const id of ['privacy', 'card', 'diagnostics', 'keys']) {
      await page.locator(`#open-${id}`).click();
      assert.deepEqual(await violations(page), [], id);
      await page.keyboard.press('Escape');
    }
    await context.close();
  });
}

test('axe-core finds nothing on the page that measures', async () => {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const { context, page } = await openPage(site, '/bench.html', { colorScheme, viewport: { width: 360, height: 740 } });
    await page.locator('#start-wasm').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'wider than the screen');
    await context.close();
  }
});

for (const [width, height] of /** @type {const} */ ([[360, 740], [768, 1024], [1280, 720], [2560, 1440], [3840, 2160]])) {
  test(`nothing is cut off or wider than the page at ${width} × ${height}`, async () => {
    const { context, page } = await openPage(site, '/?device=wasm', { viewport: { width, height }, locale: 'de-DE' });
    await modelReady(page);
    await chooseSample(page, 'blood-smear');
    await page.getByText('Als JSON').click();
    const wide = await page.evaluate(() => {
      const limit = document.documentElement.clientWidth;
      const scrolls = (/** @type {Element} */ element) => element.closest('pre, .samples ul, .table') !== null;
      return [...document.querySelectorAll('body *')]
        .filter((element) => !scrolls(element) && !element.classList.contains('skip') && element.getBoundingClientRect().right > limit + 1)
        .map((element) => `${element.tagName}.${element.className}`);
    });
    assert.deepEqual(wide, []);
    const canvas = await page.locator('canvas.picture').boundingBox();
    // The image has the room that it needs: on a phone most of the width, on a desktop half of it.
    assert.ok((canvas?.width ?? 0) >= (width < 900 ? 0.85 : 0.45) * width, `${canvas?.width}`);
    assert.ok((canvas?.height ?? 0) >= 0.38 * height, `${canvas?.height}`);
    await context.close();
  });
}

test('who asked for less motion gets none', async () => {
  const { context, page } = await openPage(site, '/?device=wasm', { reducedMotion: 'reduce' });
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll('*')].filter((element) => {
      const { animationName, transitionDuration } = getComputedStyle(element);
      return animationName !== 'none' || transitionDuration !== '0s';
    }).length,
  );
  assert.equal(moving, 0);
  await context.close();
});

test('everything that can be clicked can be reached with Tab, and shows where the focus is', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await chooseSample(page, 'nuclei');
  await page.getByRole('tab', { name: 'Teach it' }).click();
  await page.getByText('Pixels', { exact: true }).click();
  await page.locator('#head-name').fill('nuclei by hand');
  await page.getByLabel('Class 2').fill('nucleus');
  await page.locator('#teach-begin').click();
  await page.locator('#brush').waitFor();
  const expected = await page.evaluate(() => {
    const visible = (/** @type {Element} */ element) => element.checkVisibility({ visibilityProperty: true }) && element.closest('details:not([open]) > :not(summary)') === null;
    // Within tabs and within a group of radio buttons the arrows go on.
    const all = [...document.querySelectorAll('button:enabled:not([tabindex="-1"]), summary, select, input:not([type="radio"]):not([tabindex="-1"]), canvas')];
    return all.filter(visible).map((element, i) => {
      element.setAttribute('data-stop', String(i));
      return i;
    });
  });
  /** @type {Set<string>} */
  const reached = new Set();
  /** @type {string[]} */
  const unmarked = [];
  await page.locator('.skip').focus();
  for (let i = 0; i < expected.length + 30; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      return { stop: element?.getAttribute('data-stop') ?? null, outline: element === null ? '' : getComputedStyle(element).outlineStyle, html: element?.outerHTML.slice(0, 90) ?? '' };
    });
    if (at.stop === null) continue;
    reached.add(at.stop);
    if (at.outline === 'none') unmarked.push(at.html);
  }
  const missed = expected.filter((stop) => !reached.has(String(stop)));
  const names = await page.evaluate((stops) => stops.map((stop) => document.querySelector(`[data-stop="${stop}"]`)?.outerHTML.slice(0, 90)), missed);
  assert.deepEqual(names, []);
  assert.deepEqual(unmarked, []);
  await context.close();
});

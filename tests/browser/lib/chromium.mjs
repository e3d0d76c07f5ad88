import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** WebGPU without a GPU: SwiftShader computes on the CPU, about 0.2 GFLOP/s. */
const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium, or the one that `MEDLEY_CHROMIUM` names. @param {string[]} [more] - flags beside the usual ones */
export function launch(more = []) {
  const executablePath = process.env['MEDLEY_CHROMIUM'] ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(`no Chromium at ${executablePath}: apt install chromium, or set MEDLEY_CHROMIUM`);
  }
  return chromium.launch({ executablePath, args: [...FLAGS, ...more], headless: true });
}

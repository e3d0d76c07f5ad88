import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** WebGPU without a GPU: SwiftShader computes on the CPU, about 0.2 GFLOP/s. */
const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** Debian's Chromium, or the one that `MEDLEY_CHROMIUM` names. @param {string[]} [more] - flags beside the usual ones */
export function launch(more = []) {
  return chromium.launch({ executablePath: executable(), args: [...FLAGS, ...SOFTWARE_GPU, ...more], headless: true });
}

/** The same without WebGPU, on a profile that outlives it. @param {string} profile - a folder */
export function launchOn(profile) {
  return chromium.launchPersistentContext(profile, { executablePath: executable(), args: FLAGS, headless: true });
}

function executable() {
  const path = process.env['MEDLEY_CHROMIUM'] ?? '/usr/bin/chromium';
  if (!existsSync(path)) throw new Error(`no Chromium at ${path}: apt install chromium, or set MEDLEY_CHROMIUM`);
  return path;
}

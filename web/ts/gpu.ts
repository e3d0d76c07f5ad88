import type { GpuProbe } from './device.js';

/** Asks the browser for a WebGPU adapter; works on the page and in a worker. */
export async function probeGpu(): Promise<GpuProbe> {
  const gpu = (navigator as { gpu?: GPU }).gpu;
  if (gpu === undefined) return { found: false, reason: 'this browser does not offer it here' };
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (error) {
    return { found: false, reason: `the browser refused an adapter (${String(error)})` };
  }
  if (adapter === null) return { found: false, reason: 'no adapter answers on this device' };
  const info = adapter.info;
  const parts = [info.vendor, info.architecture, info.description].filter((part) => part !== '');
  const name = parts.length > 0 ? parts.join(' ') : 'unnamed adapter';
  // Older browsers say it on the adapter, newer ones in its info; SwiftShader is software either way.
  const fallback =
    (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ??
    (info as { isFallbackAdapter?: boolean }).isFallbackAdapter ??
    false;
  return { found: true, adapter: name, software: fallback || /swiftshader|llvmpipe/i.test(name) };
}

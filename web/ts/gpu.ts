import type { Detail } from './detail.js';
import type { GpuProbe } from './device.js';

/** Asks the browser for a WebGPU adapter; works on the page and in a worker. */
export async function probeGpu(): Promise<GpuProbe> {
  const gpu = (navigator as { gpu?: GPU }).gpu;
  if (gpu === undefined) return none('this browser does not offer it here', { code: 'gpu-absent', values: {} });
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (error) {
    return none(`the browser refused an adapter (${String(error)})`, { code: 'gpu-refused', values: { why: String(error) } });
  }
  if (adapter === null) return none('no adapter answers on this device', { code: 'gpu-none', values: {} });
  const info = adapter.info;
  const parts = [info.vendor, info.architecture, info.description].filter((part) => part !== '');
  const name = parts.length > 0 ? parts.join(' ') : 'unnamed adapter';
  // Older browsers say it on the adapter, newer ones in its info; SwiftShader is software either way.
  const fallback =
    (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ??
    (info as { isFallbackAdapter?: boolean }).isFallbackAdapter ??
    false;
  return {
    found: true,
    adapter: name,
    software: fallback || /swiftshader|llvmpipe/i.test(name),
    limits: readLimits(adapter.limits),
    features: [...adapter.features].sort(),
  };
}

function none(reason: string, detail: Detail): GpuProbe {
  return { found: false, reason, detail };
}

/** The limits that decide whether a model fits: for a bug report. */
function readLimits(limits: GPUSupportedLimits): Record<string, number> {
  const names = [
    'maxBufferSize',
    'maxStorageBufferBindingSize',
    'maxStorageBuffersPerShaderStage',
    'maxComputeWorkgroupStorageSize',
    'maxComputeInvocationsPerWorkgroup',
  ] as const;
  return Object.fromEntries(names.map((name) => [name, limits[name]]));
}

/**
 * Hears of the loss of any WebGPU device that is made in this worker.
 *
 * The wasm code makes its device by itself and keeps it to itself, and what it says of a loss comes
 * late or as a panic; the browser's own word is had where the device is made.
 */
export function watchDevices(onLost: (reason: string) => void): void {
  const prototype = (globalThis as { GPUAdapter?: { prototype: GPUAdapter } }).GPUAdapter?.prototype;
  if (prototype === undefined) return;
  const request = prototype.requestDevice;
  prototype.requestDevice = async function (this: GPUAdapter, descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> {
    const device = await request.call(this, descriptor);
    void device.lost.then(({ reason, message }) => onLost(`${reason}: ${message}`));
    return device;
  };
}

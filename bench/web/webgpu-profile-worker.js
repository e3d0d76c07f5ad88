// Put ahead of the package's worker by webgpu-profile.mjs: gives each dispatch of a WebGPU kernel a pass of its own with
// timestamps, and tells how long each kernel took when it is asked.
{
  /** Pairs of timestamps in one set. */
  const PAIRS = 2048;
  const names = new WeakMap();
  const codes = new WeakMap();
  let device;
  let sets = [];
  let dispatches = [];
  let submissions = 0;
  const channel = new BroadcastChannel('webgpu-profile');

  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor = {}) {
    const features = [...(descriptor.requiredFeatures ?? []), 'timestamp-query'];
    device = await requestDevice.call(this, { ...descriptor, requiredFeatures: features });
    return device;
  };
  const createShaderModule = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const module = createShaderModule.call(this, descriptor);
    codes.set(module, descriptor.code);
    return module;
  };
  const createComputePipeline = GPUDevice.prototype.createComputePipeline;
  GPUDevice.prototype.createComputePipeline = function (descriptor) {
    const pipeline = createComputePipeline.call(this, descriptor);
    const code = codes.get(descriptor.compute.module) ?? '';
    names.set(pipeline, { name: descriptor.label || descriptor.compute.entryPoint || 'main', code });
    return pipeline;
  };
  const begin = GPUCommandEncoder.prototype.beginComputePass;
  class Pass {
    constructor(encoder) {
      this.encoder = encoder;
      this.groups = new Map();
    }
    setPipeline(pipeline) {
      this.pipeline = pipeline;
    }
    setBindGroup(index, group, ...offsets) {
      this.groups.set(index, [group, ...offsets]);
    }
    dispatchWorkgroups(...size) {
      this.timed(size, (pass) => pass.dispatchWorkgroups(...size));
    }
    dispatchWorkgroupsIndirect(buffer, offset) {
      this.timed(['indirect'], (pass) => pass.dispatchWorkgroupsIndirect(buffer, offset));
    }
    timed(size, dispatch) {
      const place = dispatches.length % PAIRS;
      if (place === 0) sets.push(device.createQuerySet({ type: 'timestamp', count: 2 * PAIRS }));
      const querySet = sets.at(-1);
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * place, endOfPassWriteIndex: 2 * place + 1 };
      const pass = begin.call(this.encoder, { timestampWrites });
      pass.setPipeline(this.pipeline);
      for (const [index, group] of this.groups) pass.setBindGroup(index, ...group);
      dispatch(pass);
      pass.end();
      dispatches.push({ ...names.get(this.pipeline), size });
    }
    pushDebugGroup() {}
    popDebugGroup() {}
    insertDebugMarker() {}
    end() {}
  }
  GPUCommandEncoder.prototype.beginComputePass = function () {
    return new Pass(this);
  };

  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (buffers) {
    submissions += 1;
    return submit.call(this, buffers);
  };

  channel.onmessage = async ({ data }) => {
    if (data === 'begin') {
      sets = [];
      dispatches = [];
      submissions = 0;
      channel.postMessage('begun');
    }
    if (data === 'end') {
      const times = [];
      const handedOver = submissions;
      for (const querySet of sets) {
        const bytes = 16 * PAIRS;
        const resolved = device.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
        const read = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
        const encoder = device.createCommandEncoder();
        encoder.resolveQuerySet(querySet, 0, 2 * PAIRS, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, read, 0, bytes);
        device.queue.submit([encoder.finish()]);
        await read.mapAsync(GPUMapMode.READ);
        times.push(...new BigUint64Array(read.getMappedRange().slice(0)));
      }
      const kernels = dispatches.map((dispatch, index) => ({ ...dispatch, ms: Number(times[2 * index + 1] - times[2 * index]) / 1e6 }));
      channel.postMessage({ kernels, submissions: handedOver });
    }
  };
}

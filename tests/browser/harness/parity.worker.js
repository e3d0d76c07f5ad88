// Runs the parity check of one build of the wasm crate (the worker's name) on bytes that it is sent.
globalThis.medleyPanicked = (message) => self.postMessage({ failure: message });

async function start() {
  const glue = await import(`/web/pkg/${self.name}/medley_web.js`);
  await glue.default({ module_or_path: `/web/pkg/${self.name}/medley_web_bg.wasm` });
  return glue;
}
const started = start();

self.addEventListener('message', async ({ data: { golden, name } }) => {
  try {
    const { goldenSwinMicro } = await started;
    self.postMessage({ errors: [...(await goldenSwinMicro(new Uint8Array(golden), name))] });
  } catch (error) {
    self.postMessage({ failure: String(error) });
  }
});

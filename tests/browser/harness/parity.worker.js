// Runs the parity check of one build of the wasm crate on bytes that it is sent.
self.addEventListener('message', async ({ data: { build, golden, name } }) => {
  try {
    const glue = await import(`/web/pkg/${build}/medley_web.js`);
    await glue.default();
    const errors = await glue.goldenSwinMicro(new Uint8Array(golden), name);
    self.postMessage({ errors: [...errors] });
  } catch (error) {
    self.postMessage({ failure: String(error) });
  }
});
globalThis.medleyPanicked = (message) => self.postMessage({ failure: message });

export default {
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // The worker imports its wasm code when it is needed, which takes a module.
  worker: { format: 'es' },
};

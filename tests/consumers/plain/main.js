import { loadModel } from './node_modules/@medley/web/dist/slim.js';

const model = await loadModel('/models/fresh/', {
  device: 'wasm',
  urls: {
    worker: './node_modules/@medley/web/dist/worker.js',
    wasm: '/elsewhere/pkg/cpu/medley_web_bg.wasm',
  },
});
const { report } = await model.analyze(new ImageData(64, 64));
document.title = `${report.results.length} answers`;

import { openDicom } from './node_modules/@medley/web/dist/dicom.js';
import { loadModel } from './node_modules/@medley/web/dist/slim.js';

const model = await loadModel('/models/fresh/', {
  device: 'wasm',
  urls: {
    worker: './node_modules/@medley/web/dist/worker.js',
    wasm: '/elsewhere/pkg/cpu/medley_web_bg.wasm',
  },
});
const { report } = await model.analyze(new ImageData(64, 64));
const { others } = await openDicom(new Blob(['no DICOM']), {
  urls: {
    worker: './node_modules/@medley/web/dist/dicom/worker.js',
    wasm: '/elsewhere/pkg/dicom/medley_web_dicom_bg.wasm',
  },
});
document.title = `${report.results.length} answers, ${others.length} file`;

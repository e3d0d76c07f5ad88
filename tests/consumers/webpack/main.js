import { loadModel } from '@medley/web';

const model = await loadModel('/models/fresh/', { device: 'wasm' });
const { report } = await model.analyze(new ImageData(64, 64));
document.title = `${report.results.length} answers`;

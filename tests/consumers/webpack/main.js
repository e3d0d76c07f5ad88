import { loadModel } from '@medley/web';
import { openDicom } from '@medley/web/dicom';

const model = await loadModel('/models/fresh/', { device: 'wasm' });
const { report } = await model.analyze(new ImageData(64, 64));
const { others } = await openDicom(new Blob(['no DICOM']));
document.title = `${report.results.length} answers, ${others.length} file`;

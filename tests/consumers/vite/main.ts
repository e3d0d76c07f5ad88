import { type Analysis, loadModel, type TaskSpec } from '@medley/web';
import { type DicomFiles, openDicom } from '@medley/web/dicom';
import { MedleyViewer } from '@medley/web/element';

const model = await loadModel('/models/fresh/', { device: 'wasm' });
const tasks: readonly TaskSpec[] = model.tasks;
const { report }: Analysis = await model.analyze(new ImageData(64, 64), { tasks: tasks.map(({ name }) => name) });

const { others }: DicomFiles = await openDicom(new Blob(['no DICOM']));

const viewer = document.querySelector('medley-viewer');
if (!(viewer instanceof MedleyViewer)) throw new Error('the element is not defined');
viewer.addEventListener('result', () => {
  document.title = `${report.results.length} answers, ${viewer.analysis?.report.results.length} in the element, ${others.length} file`;
});
await viewer.show(new ImageData(64, 64));

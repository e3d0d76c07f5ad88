// The example of web/README.md; a test compares the two.
import { loadModel } from '/web/dist/index.js';
import { analyzeSeries, DicomWeb, openDicom, toSegmentation } from '/web/dist/dicom.js';

/** From a patient's number to stored segmentations; `say` hears how far it is. */
export async function segmentStudy(patient, { token, say, signal }) {
  const server = new DicomWeb('/dicom-web', { token });
  const [found] = await server.searchStudies({ PatientID: patient, limit: 1 }, { signal });
  if (found === undefined) throw new Error('no such study');
  const files = await openDicom(await server.retrieve([found.study], { signal }), { signal });
  const model = await loadModel('/models/medley-nano/', { device: 'auto', signal });
  try {
    const segmentations = [];
    for (const series of files.series) {
      const analysis = await analyzeSeries(model, series, { tasks: ['lungs'], signal, onProgress: say });
      segmentations.push(await toSegmentation(analysis, { model }));
    }
    return await server.store(segmentations, { signal });
  } finally {
    for (const used of [model, files, server]) used.dispose();
  }
}

window.segmentStudy = segmentStudy;
document.title = 'loaded';

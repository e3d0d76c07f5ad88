import { SAMPLES, sampleFile } from './index.js';

/** Draws every sample in turn, away from the page's own thread, and hands each over as a file. */
for (const sample of SAMPLES) {
  postMessage({ id: sample.id, file: await sampleFile(sample) });
}

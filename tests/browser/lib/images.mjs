import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The task database with real images, where there is one. */
const DATA = process.env['MEDLEY_DATA'];

/** The images of the tests: what they are of, and where a real one is. */
const IMAGES = [
  { title: 'a chest radiograph', folder: 'chest-xray-children', sample: 'chest-radiograph', tasks: ['pneumonia-children', 'lungs'] },
  { title: 'nuclei', folder: 'nuclei-microscopy', sample: 'nuclei', tasks: ['nuclei', 'nuclei-boxes'] },
  { title: 'a blood smear', folder: 'blood-cell-boxes', sample: 'blood-smear', tasks: ['blood-cells'] },
];

/** @typedef {{ title: string, path: string, tasks: string[] }} TestImage */

/**
 * Real images from test splits; the page's own samples where there are none.
 * @param {(sample: string) => Promise<Buffer>} drawSample
 * @returns {Promise<TestImage[]>}
 */
export async function testImages(drawSample) {
  if (DATA !== undefined && existsSync(join(DATA, 'tasks.json'))) {
    return IMAGES.map(({ title, folder, tasks }) => ({ title, tasks, path: firstOfTest(join(DATA, folder)) }));
  }
  console.log('no task database at MEDLEY_DATA: generated samples take the place of real images');
  const folder = mkdtempSync(join(tmpdir(), 'medley-samples-'));
  const images = [];
  for (const { title, sample, tasks } of IMAGES) {
    const path = join(folder, `${sample}.png`);
    writeFileSync(path, await drawSample(sample));
    images.push({ title, tasks, path });
  }
  return images;
}

/** @param {string} folder - of a data set */
function firstOfTest(folder) {
  for (const line of readFileSync(join(folder, 'records.jsonl'), 'utf8').split('\n')) {
    if (line === '') continue;
    const record = /** @type {{ split: string, image: string }} */ (JSON.parse(line));
    if (record.split === 'test') return join(folder, record.image);
  }
  throw new Error(`${folder} has no image in its test split`);
}

import type { Key } from '../language/index.js';
import { retina } from './fundus.js';
import { bloodSmear, histology, nuclei, whiteBloodCell } from './microscopy.js';
import { chestRadiograph, forearmRadiograph } from './radiographs.js';
import type { Raster } from './raster.js';
import { brainMri, chestCt } from './sections.js';
import { breastUltrasound, fetalHead } from './ultrasound.js';

/** A picture that the page draws itself: a phantom, no patient's picture. */
export interface Sample {
  /** Name of its file, without the ending. */
  id: string;
  title: Key;
  /** As the tasks say it. */
  modality: string;
  /** What is worth seeing over it; the other tasks of its modality are about other pictures. */
  shows: readonly string[];
  draw: () => Raster;
}

export const SAMPLES: readonly Sample[] = [
  { id: 'chest-radiograph', title: 'sample.chest-radiograph', modality: 'radiograph', shows: ['lungs'], draw: chestRadiograph },
  { id: 'nuclei', title: 'sample.nuclei', modality: 'microscopy', shows: ['nuclei', 'nuclei-boxes'], draw: nuclei },
  { id: 'blood-smear', title: 'sample.blood-smear', modality: 'microscopy', shows: ['blood-cells'], draw: bloodSmear },
  { id: 'white-blood-cell', title: 'sample.white-blood-cell', modality: 'microscopy', shows: [], draw: whiteBloodCell },
  { id: 'brain-mri', title: 'sample.brain-mri', modality: 'MRI', shows: ['brain-tumour', 'brain-tumour-boxes'], draw: brainMri },
  { id: 'chest-ct', title: 'sample.chest-ct', modality: 'CT', shows: [], draw: chestCt },
  { id: 'fetal-head', title: 'sample.fetal-head', modality: 'ultrasound', shows: ['fetal-head'], draw: fetalHead },
  { id: 'breast-ultrasound', title: 'sample.breast-ultrasound', modality: 'ultrasound', shows: ['breast-lesion'], draw: breastUltrasound },
  { id: 'retina', title: 'sample.retina', modality: 'fundus photograph', shows: ['retina-vessels'], draw: retina },
  { id: 'histology', title: 'sample.histology', modality: 'histology (H&E)', shows: ['histology-cells'], draw: histology },
  { id: 'forearm', title: 'sample.forearm', modality: 'radiograph', shows: ['bone-fracture'], draw: forearmRadiograph },
];

/** The sample as a PNG file, as if the user had picked it. */
export async function sampleFile(sample: Sample): Promise<File> {
  const raster = sample.draw();
  const canvas = new OffscreenCanvas(raster.width, raster.height);
  canvas.getContext('2d')?.putImageData(raster.toImageData(), 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new File([blob], `${sample.id}.png`, { type: 'image/png' });
}

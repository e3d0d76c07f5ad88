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
  title: string;
  /** As the tasks say it. */
  modality: string;
  /** What is worth seeing over it; the other tasks of its modality are about other pictures. */
  shows: readonly string[];
  draw: () => Raster;
}

export const SAMPLES: readonly Sample[] = [
  { id: 'chest-radiograph', title: 'Chest', modality: 'radiograph', shows: ['lungs'], draw: chestRadiograph },
  { id: 'nuclei', title: 'Nuclei', modality: 'microscopy', shows: ['nuclei', 'nuclei-boxes'], draw: nuclei },
  { id: 'blood-smear', title: 'Blood smear', modality: 'microscopy', shows: ['blood-cells'], draw: bloodSmear },
  { id: 'white-blood-cell', title: 'White cell', modality: 'microscopy', shows: [], draw: whiteBloodCell },
  { id: 'brain-mri', title: 'Brain', modality: 'MRI', shows: ['brain-tumour', 'brain-tumour-boxes'], draw: brainMri },
  { id: 'chest-ct', title: 'Chest slice', modality: 'CT', shows: [], draw: chestCt },
  { id: 'fetal-head', title: 'Fetal head', modality: 'ultrasound', shows: ['fetal-head'], draw: fetalHead },
  { id: 'breast-ultrasound', title: 'Breast', modality: 'ultrasound', shows: ['breast-lesion'], draw: breastUltrasound },
  { id: 'retina', title: 'Retina', modality: 'fundus photograph', shows: ['retina-vessels'], draw: retina },
  { id: 'histology', title: 'Tissue', modality: 'histology (H&E)', shows: ['histology-cells'], draw: histology },
  { id: 'forearm', title: 'Forearm', modality: 'radiograph', shows: ['bone-fracture'], draw: forearmRadiograph },
];

/** The sample as a PNG file, as if the user had picked it. */
export async function sampleFile(sample: Sample): Promise<File> {
  const raster = sample.draw();
  const canvas = new OffscreenCanvas(raster.width, raster.height);
  canvas.getContext('2d')?.putImageData(raster.toImageData(), 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new File([blob], `${sample.id}.png`, { type: 'image/png' });
}

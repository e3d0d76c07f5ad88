/**
 * DICOM for Medley: files in, results out, DICOMweb. Loaded only by those who import it: its wasm file is fetched when
 * the first file is opened.
 *
 * ```ts
 * import { loadModel } from '@medley/web';
 * import { analyzeSeries, openDicom, toSegmentation } from '@medley/web/dicom';
 *
 * const { series } = await openDicom(input.files);
 * const analysis = await analyzeSeries(model, series[0], { tasks: ['lungs'] });
 * const seg = await toSegmentation(analysis, { model });
 * ```
 *
 * Nothing leaves this device but what `DicomWeb.store` is told to send.
 * Research use only. Not for diagnostic use.
 *
 * @packageDocumentation
 */

export { analyzeSeries, type SeriesAnalysis, type SeriesOptions, type SeriesProgress, type SliceAnalysis } from './dicom/analyze.js';
export { DicomFiles, type DicomInfo, dicomInfo, type DicomStudy, type FailedFile, openDicom, type OpenOptions } from './dicom/open.js';
export type { FoundAttributes, FrameValues, SliceWindow, StoredSamples } from './dicom/protocol.js';
export type { DicomUrls } from './dicom/reader.js';
export { type ResultOptions, toReport, toSegmentation } from './dicom/results.js';
export type { HeaderEntry, ProblemDescription, SliceDescription, WindowDescription } from './dicom/rust-types.js';
export { DicomSeries, DicomSlice } from './dicom/series.js';
export { type FileKind, sniff } from './dicom/sniff.js';
export { type DicomFound, type DicomQuery, DicomWeb, type DicomWebOptions } from './dicom/web.js';
export { MedleyError, type MedleyErrorCode } from './errors.js';

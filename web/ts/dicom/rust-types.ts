// Written by `MEDLEY_WRITE_TYPES=1 cargo test --workspace --test web_types` from the Rust types; not to be edited.

/**
 * All series of one examination.
 */
export type StudyDescription = { 
/**
 * Study Instance UID.
 */
uid: string, 
/**
 * In the order in which their first files came.
 */
series: Array<SeriesDescription>, };

/**
 * Slices that belong together.
 */
export type SeriesDescription = { 
/**
 * Series Instance UID.
 */
uid: string, 
/**
 * As "CT"; `null` if the files do not say.
 */
modality: string | null, 
/**
 * Usual distance between neighbours in millimetres; `null` if the files do not say.
 */
distance: number | null, 
/**
 * What is not as it should be: missing slices, slices at one place, mixed sizes.
 */
problems: Array<ProblemDescription>, 
/**
 * From one end to the other.
 */
slices: Array<SliceDescription>, };

/**
 * What is not as it should be in a series.
 */
export type ProblemDescription = { 
/**
 * "missing", "same-place", "same-instance", "orientation" or "sizes".
 */
kind: string, 
/**
 * The slice that it is about, counted from 0: of a gap the one before it.
 */
slice: number | null, 
/**
 * How many are missing.
 */
count: number | null, 
/**
 * In English.
 */
text: string, };

/**
 * One frame of a file.
 */
export type SliceDescription = { 
/**
 * Index of the file among those that were read.
 */
source: number, 
/**
 * Frame of the file, counted from 0.
 */
frame: number, 
/**
 * How many frames the file has.
 */
frames: number, 
/**
 * In pixels.
 */
width: number, 
/**
 * In pixels.
 */
height: number, 
/**
 * Whether pixels are brightness and no colours.
 */
grey: boolean, 
/**
 * Millimetres between the centres of rows, and of columns; `null` if the file does not say.
 */
spacing: [number, number] | null, 
/**
 * Square millimetres of a pixel; `null` if the file does not say.
 */
pixelArea: number | null, 
/**
 * Centre of the first pixel in the patient, in millimetres: x to the left, y to the back, z to the head.
 */
position: [number, number, number] | null, 
/**
 * Directions along a row and along a column.
 */
orientation: [number, number, number, number, number, number] | null, 
/**
 * Thickness in millimetres.
 */
thickness: number | null, 
/**
 * Unit of the values after the modality transform, as "HU"; `null` where nothing says it.
 */
unit: string | null, 
/**
 * Windows of the file, the one to begin with first.
 */
windows: Array<WindowDescription>, 
/**
 * Whether the file shows its grey by a table, which is then what to begin with where there is no window.
 */
table: boolean, };

/**
 * Which values become black, white and what lies between.
 */
export type WindowDescription = { 
/**
 * In values after the modality transform, as Hounsfield units.
 */
center: number, 
/**
 * From black to white.
 */
width: number, 
/**
 * "linear", "linear-exact" or "sigmoid" (PS3.3 C.11.2.1).
 */
shape: string, 
/**
 * What the file calls it, as "LUNG".
 */
name: string | null, };

/**
 * An attribute of the header in words.
 */
export type HeaderEntry = { 
/**
 * Keyword of the standard, as "SliceThickness".
 */
keyword: string, 
/**
 * Group and element, as "(0018,0050)".
 */
tag: string, 
/**
 * Its value.
 */
value: string, };

/**
 * Technical facts about a DICOM file. Nothing here names a patient, a place or a time.
 */
export type FileInfo = { 
/**
 * Length of the file.
 */
bytes: number, 
/**
 * UID of the transfer syntax; none if the file does not state it.
 */
transfer_syntax: string | null, 
/**
 * Its name.
 */
syntax_name: string, 
/**
 * Modality, as "CT".
 */
modality: string | null, };

/**
 * What the header says of the pixels, and what they are.
 */
export type ImageInfo = { 
/**
 * Photometric interpretation.
 */
photometric: string, 
/**
 * Height in pixels.
 */
rows: number, 
/**
 * Width in pixels.
 */
columns: number, 
/**
 * Number of frames.
 */
frames: number, 
/**
 * Bits that a sample takes.
 */
bits_allocated: number, 
/**
 * Bits that count; none for floats.
 */
bits_stored: number | null, 
/**
 * 1 for samples with sign, 0 without; none for floats.
 */
pixel_representation: number | null, 
/**
 * Millimetres between rows and between columns.
 */
pixel_spacing: [number, number] | null, 
/**
 * The first frame, decoded.
 */
first_frame: FrameInfo, };

/**
 * Figures of a decoded frame, of its samples as stored.
 */
export type FrameInfo = { 
/**
 * Least sample.
 */
min: number, 
/**
 * Greatest sample.
 */
max: number, 
/**
 * Mean of all samples.
 */
mean: number, 
/**
 * SHA-256 of the samples, interleaved, little endian, in hexadecimal.
 */
sha256_le: string, 
/**
 * Rows, columns, and samples of a pixel where there are several.
 */
shape: Array<number>, 
/**
 * Number type, as NumPy names it.
 */
dtype: string, };

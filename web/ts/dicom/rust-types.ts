// Written by `MEDLEY_WRITE_TYPES=1 cargo test --workspace --test web_types` from the Rust types; not to be edited.

export type StudyDescription = { uid: string, series: Array<SeriesDescription>, };
export type SeriesDescription = { uid: string, modality: string | null, distance: number | null, problems: Array<ProblemDescription>, slices: Array<SliceDescription>, };
export type SliceDescription = { source: number, frame: number, frames: number, width: number, height: number, grey: boolean, spacing: [number, number] | null, pixelArea: number | null, position: [number, number, number] | null, orientation: [number, number, number, number, number, number] | null, thickness: number | null, unit: string | null, windows: Array<WindowDescription>, table: boolean, };
export type WindowDescription = { center: number, width: number, shape: string, name: string | null, };
export type HeaderEntry = { keyword: string, tag: string, value: string, };
export type ProblemDescription = { kind: string, slice: number | null, count: number | null, text: string, };

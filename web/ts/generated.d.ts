// The glue is written by wasm-bindgen and is not there before the first build; `wasm.ts` says what it holds.
declare module '*/medley_web.js';
declare module '*/medley_web_dicom.js';

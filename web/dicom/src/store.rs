//! All files that were opened together, without their pixels.

use medley_dicom::{DicomError, DicomFile, SliceHeader, describe_studies, sort_series};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::WebError;
use crate::js::to_js;

/// Headers of files. The files themselves stay where they are: hundreds of slices would fill the wasm memory.
#[wasm_bindgen]
#[derive(Default)]
pub struct WasmStore {
    pub(crate) files: Vec<DicomFile>,
    headers: Vec<SliceHeader>,
}

#[wasm_bindgen]
impl WasmStore {
    /// An empty one.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a file in, whose index is then the number of images so far: "image"; "no-image" for objects without
    /// pixels and "other" for files of other formats, which are not taken in.
    ///
    /// # Errors
    /// A DICOM file that is damaged, too large, or lacks what an image must have.
    pub fn add(&mut self, bytes: &[u8]) -> Result<String, WebError> {
        if !DicomFile::is_dicom(bytes) {
            return Ok("other".into());
        }
        let file = DicomFile::parse(bytes)?;
        match SliceHeader::read(&file) {
            Ok(header) => self.headers.push(header),
            Err(DicomError::NoImage { .. }) => return Ok("no-image".into()),
            Err(error) => return Err(error.into()),
        }
        self.files.push(file.without_pixels());
        Ok("image".into())
    }

    /// All images sorted: `StudyDescription[]`.
    ///
    /// # Errors
    /// None in practice: every file was read once.
    pub fn studies(&self) -> Result<JsValue, JsValue> {
        let studies = sort_series(&self.headers);
        to_js(&describe_studies(&studies, &self.files).map_err(WebError::from)?)
    }

    /// The header of a file in words: `HeaderEntry[]`, of equipment and acquisition, or of patient, place and time.
    ///
    /// # Errors
    /// No such file.
    pub fn header(&self, source: usize, personal: bool) -> Result<JsValue, JsValue> {
        let file = self.file(source)?;
        let entries = if personal { file.personal_header() } else { file.technical_header() };
        to_js(&entries)
    }
}

impl WasmStore {
    pub(crate) fn file(&self, source: usize) -> Result<&DicomFile, WebError> {
        let unknown = WebError::Argument { argument: "source", expected: "a file that was added" };
        self.files.get(source).ok_or(unknown)
    }
}

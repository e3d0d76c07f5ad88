//! One file with its pixels.

use js_sys::{
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Object, Reflect, Uint8Array,
    Uint16Array, Uint32Array,
};
use medley_dicom::{
    DicomFile, DisplayFrame, Frame, Photometric, Presentation, Samples, Window, WindowShape,
};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::WebError;
use crate::js::{from_json, to_js};

/// How a frame is to be shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Shown {
    /// As the file says first.
    Default,
    /// From least to greatest value.
    Full,
    /// By a window of the file, counted from 0.
    Index(usize),
    /// By a window of one's own.
    Custom { center: f64, width: f64 },
}

impl Shown {
    fn read(text: &str) -> Result<Presentation, WebError> {
        let expected = "a window: its number, or a center and a width above 0";
        Ok(match from_json(text, "window", expected)? {
            Self::Default => Presentation::Default,
            Self::Full => Presentation::FullRange,
            Self::Index(index) => Presentation::Window(index),
            Self::Custom { center, width } if width > 0.0 => Presentation::Custom(Window {
                center,
                width,
                // A linear window of the standard is at least 1 wide; values of floats may need less.
                shape: if width > 1.0 { WindowShape::Linear } else { WindowShape::LinearExact },
                name: None,
            }),
            Self::Custom { .. } => return Err(WebError::Argument { argument: "window", expected }),
        })
    }
}

/// A file with its pixels; the frame that was decoded last is kept.
#[wasm_bindgen]
pub struct WasmDicomImage {
    file: DicomFile,
    decoded: Option<(u32, Frame)>,
}

#[wasm_bindgen]
impl WasmDicomImage {
    /// From the bytes of a file.
    ///
    /// # Errors
    /// What [`DicomFile::parse`] refuses.
    pub fn parse(bytes: &[u8]) -> Result<WasmDicomImage, WebError> {
        Ok(Self { file: DicomFile::parse(bytes)?, decoded: None })
    }

    /// A frame as the model sees it: `{ width, height, channels, data }`, 0..1 in a `Float32Array`.
    ///
    /// # Errors
    /// A frame that does not decode, a window that is none.
    pub fn pixels(&mut self, frame: u32, window: &str) -> Result<JsValue, JsValue> {
        let (DisplayFrame { width, height, rgb }, grey) = self.shown(frame, window)?;
        let object = sized(width, height)?;
        Reflect::set(&object, &"channels".into(), &(if grey { 1 } else { 3 }).into())?;
        let data = if grey {
            let one: Vec<f32> = rgb.iter().step_by(3).copied().collect();
            Float32Array::from(&one[..])
        } else {
            Float32Array::from(&rgb[..])
        };
        Reflect::set(&object, &"data".into(), &data)?;
        Ok(object.into())
    }

    /// A frame for a screen: `{ width, height, rgba }`.
    ///
    /// # Errors
    /// As [`pixels`](Self::pixels).
    pub fn rgba(&mut self, frame: u32, window: &str) -> Result<JsValue, JsValue> {
        let (DisplayFrame { width, height, rgb }, _) = self.shown(frame, window)?;
        let byte = |value: f32| (value * 255.0).round() as u8;
        let rgba: Vec<u8> = rgb
            .as_chunks::<3>()
            .0
            .iter()
            .flat_map(|&[r, g, b]| [byte(r), byte(g), byte(b), u8::MAX])
            .collect();
        let object = sized(width, height)?;
        Reflect::set(&object, &"rgba".into(), &Uint8Array::from(&rgba[..]))?;
        Ok(object.into())
    }

    /// Values of a grey frame after the modality transform, as Hounsfield units: `{ width, height, values, inverted,
    /// low, high }`. Where there is no pixel (padding) the value is NaN; `low` and `high` are least and greatest of
    /// the others; `inverted` says that low values are bright.
    ///
    /// # Errors
    /// Colours, a frame that does not decode.
    pub fn values(&mut self, frame: u32) -> Result<JsValue, JsValue> {
        let (file, decoded) = self.decoded(frame)?;
        let padding = file.padding_values().map_err(WebError::from)?;
        let values = file.values_of(decoded, frame).map_err(WebError::from)?;
        let stored = decoded.samples.to_f64();
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let values: Vec<f32> = values
            .iter()
            .zip(stored)
            .map(|(&value, stored)| {
                if padding.is_some_and(|[from, to]| (from..=to).contains(&stored)) {
                    return f32::NAN;
                }
                low = low.min(value);
                high = high.max(value);
                value as f32
            })
            .collect();
        let object = sized(decoded.columns, decoded.rows)?;
        Reflect::set(&object, &"values".into(), &Float32Array::from(&values[..]))?;
        let inverted = decoded.photometric == Photometric::Monochrome1;
        Reflect::set(&object, &"inverted".into(), &inverted.into())?;
        Reflect::set(&object, &"low".into(), &low.into())?;
        Reflect::set(&object, &"high".into(), &high.into())?;
        Ok(object.into())
    }

    /// Samples of a frame as the file stores them: `{ width, height, channels, data }`, in a typed array of their
    /// number type.
    ///
    /// # Errors
    /// A frame that does not decode.
    pub fn stored(&mut self, frame: u32) -> Result<JsValue, JsValue> {
        let (_, decoded) = self.decoded(frame)?;
        let object = sized(decoded.columns, decoded.rows)?;
        Reflect::set(&object, &"channels".into(), &decoded.channels.into())?;
        let data: Object = match &decoded.samples {
            Samples::U8(values) => Uint8Array::from(&values[..]).into(),
            Samples::I8(values) => Int8Array::from(&values[..]).into(),
            Samples::U16(values) => Uint16Array::from(&values[..]).into(),
            Samples::I16(values) => Int16Array::from(&values[..]).into(),
            Samples::U32(values) => Uint32Array::from(&values[..]).into(),
            Samples::I32(values) => Int32Array::from(&values[..]).into(),
            Samples::F32(values) => Float32Array::from(&values[..]).into(),
            other => Float64Array::from(&other.to_f64()[..]).into(),
        };
        Reflect::set(&object, &"data".into(), &data)?;
        Ok(object.into())
    }
}

impl WasmDicomImage {
    fn decoded(&mut self, frame: u32) -> Result<(&DicomFile, &Frame), WebError> {
        let kept = match self.decoded.take() {
            Some((number, kept)) if number == frame => kept,
            _ => self.file.frame(frame)?,
        };
        let (_, kept) = self.decoded.insert((frame, kept));
        Ok((&self.file, kept))
    }

    fn shown(&mut self, frame: u32, window: &str) -> Result<(DisplayFrame, bool), WebError> {
        let presentation = Shown::read(window)?;
        let (file, decoded) = self.decoded(frame)?;
        Ok((file.show(decoded, frame, &presentation)?, decoded.photometric.is_grey()))
    }
}

fn sized(width: u32, height: u32) -> Result<Object, JsValue> {
    let object = Object::new();
    Reflect::set(&object, &"width".into(), &width.into())?;
    Reflect::set(&object, &"height".into(), &height.into())?;
    Ok(object)
}

/// Technical facts about a file with figures of its first frame, what `medley dicom info --json` prints.
///
/// # Errors
/// What [`medley_dicom::info`] refuses.
#[wasm_bindgen(js_name = dicomInfo)]
pub fn dicom_info(bytes: &[u8]) -> Result<JsValue, JsValue> {
    to_js(&medley_dicom::info(bytes).map_err(WebError::from)?)
}

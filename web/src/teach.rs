//! Heads that a person teaches with a few examples.
//!
//! Nothing is kept here: examples come in as features and a head goes out as its file, so that they outlive a
//! worker, or a device, that is lost.

use js_sys::{Float32Array, Function, Int32Array, Object, Reflect, Uint8Array};
use medley_head::{Fitted, Head, HeadError, Scope, Stroke, fit_images, fit_strokes};
use medley_infer::Mask;
use medley_package::Presentation;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::WebError;
use crate::image::WasmImage;
use crate::model::{WasmModel, asking, from_js, to_js};

#[wasm_bindgen]
impl WasmModel {
    /// The embedding of an image.
    ///
    /// # Errors
    /// Cancellation, a device that fails.
    pub async fn embed(
        &self,
        image: &WasmImage,
        cancelled: Option<Function>,
        between: Option<Function>,
    ) -> Result<Float32Array, JsValue> {
        let embedding = self.medley.embed(&image.image, &asking(cancelled, between)).await;
        Ok(Float32Array::from(&embedding.map_err(WebError::from)?[..]))
    }

    /// The features of the pixels under a brush: `{ rows, count }`, `count` rows of equal length one after the
    /// other. `presentation`: how the image is looked at, as tasks and [`read_head`](Self::read_head) have it; whole
    /// without one. `pixels`: x and y in turn.
    ///
    /// # Errors
    /// A presentation that is none, cancellation, a device that fails.
    #[wasm_bindgen(js_name = strokeFeatures)]
    pub async fn stroke_features(
        &self,
        image: &WasmImage,
        presentation: Option<Object>,
        pixels: Vec<u32>,
        cancelled: Option<Function>,
        between: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let way = self.presentation(presentation.as_ref())?;
        let features =
            self.medley.pixel_features(&image.image, way, &asking(cancelled, between)).await;
        let stroke = features.map_err(WebError::from)?.stroke(0, pixels.as_chunks::<2>().0);
        let object = Object::new();
        Reflect::set(&object, &"rows".into(), &Float32Array::from(&stroke.rows.concat()[..]))?;
        Reflect::set(&object, &"count".into(), &(stroke.rows.len() as u32).into())?;
        Ok(object.into())
    }

    /// Teaches a head for images: `{ file, examples, estimate, heldOut }`.
    ///
    /// `rows`: one embedding after the other; `labels`: the class of each.
    ///
    /// # Errors
    /// Examples or classes that no head can be taught with.
    #[wasm_bindgen(js_name = teachImages)]
    pub fn teach_images(
        &self,
        name: &str,
        classes: Vec<String>,
        rows: &[f32],
        labels: &[u32],
    ) -> Result<JsValue, JsValue> {
        let lesson =
            self.medley.lesson(Scope::Image, name, classes, None).map_err(WebError::from)?;
        let rows = split(rows, labels.len())?;
        let labels: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
        let fitted = fit_images(&rows, &labels, lesson.classes.len()).map_err(WebError::from)?;
        taught(fitted, |fitted| Head::new(lesson, fitted))
    }

    /// Teaches a head for pixels, with the answer of [`teach_images`](Self::teach_images).
    ///
    /// `presentation`: the one that the features were taken with; `rows`: the features of all strokes one after the
    /// other; `labels`, `lengths`: class and number of rows of each stroke.
    ///
    /// # Errors
    /// Examples or classes that no head can be taught with, a presentation that is none.
    #[wasm_bindgen(js_name = teachStrokes)]
    pub fn teach_strokes(
        &self,
        name: &str,
        classes: Vec<String>,
        presentation: Option<Object>,
        rows: &[f32],
        labels: &[u32],
        lengths: &[u32],
    ) -> Result<JsValue, JsValue> {
        let mut lesson =
            self.medley.lesson(Scope::Pixel, name, classes, None).map_err(WebError::from)?;
        lesson.presentation = self.presentation(presentation.as_ref())?;
        let total = lengths.iter().map(|&length| length as usize).sum();
        if labels.len() != lengths.len() {
            return Err(unfit("lengths", "one for each label"));
        }
        let mut all = split(rows, total)?.into_iter();
        let strokes: Vec<Stroke> = labels
            .iter()
            .zip(lengths)
            .map(|(&class, &length)| Stroke {
                class: class as usize,
                rows: all.by_ref().take(length as usize).map(<[f32]>::to_vec).collect(),
            })
            .collect();
        let fitted = fit_strokes(&strokes, lesson.classes.len()).map_err(WebError::from)?;
        taught(fitted, |fitted| Head::new(lesson, fitted))
    }

    /// What a head file says of itself, if it belongs to this model: `{ scope, name, classes, presentation,
    /// examples, estimate }`.
    ///
    /// # Errors
    /// Not a head file, or one that was taught on another encoder.
    #[wasm_bindgen(js_name = readHead)]
    pub fn read_head(&self, file: &[u8]) -> Result<JsValue, JsValue> {
        let head = self.head(file)?;
        let object = Object::new();
        Reflect::set(&object, &"scope".into(), &to_js(&head.lesson.scope)?)?;
        Reflect::set(&object, &"name".into(), &head.lesson.name.as_str().into())?;
        Reflect::set(&object, &"classes".into(), &to_js(&head.lesson.classes)?)?;
        Reflect::set(&object, &"presentation".into(), &to_js(&head.lesson.presentation)?)?;
        Reflect::set(&object, &"examples".into(), &to_js(&head.examples)?)?;
        Reflect::set(&object, &"estimate".into(), &to_js(&head.estimate)?)?;
        Ok(object.into())
    }

    /// A head's answer to an embedding: `[{ name, probability }]`, in the order of its classes.
    ///
    /// # Errors
    /// Not a head file, one of another encoder, or one for pixels.
    pub fn classify(&self, file: &[u8], embedding: &[f32]) -> Result<JsValue, JsValue> {
        let head = self.head(file)?;
        to_js(&self.medley.classify(&head, embedding).map_err(WebError::from)?)
    }

    /// A head's answer for every pixel of an image: `{ width, height, indices }`.
    ///
    /// # Errors
    /// Not a head file, one of another encoder, or one for images; cancellation, a device that fails.
    pub async fn segment(
        &self,
        file: Vec<u8>,
        image: &WasmImage,
        cancelled: Option<Function>,
        between: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let head = self.head(&file)?;
        let way = head.lesson.presentation;
        let features =
            self.medley.pixel_features(&image.image, way, &asking(cancelled, between)).await;
        let features = features.map_err(WebError::from)?;
        let mask = self.medley.segment(&head, &features).map_err(WebError::from)?;
        let Mask { width, height, indices, .. } = mask;
        let object = Object::new();
        Reflect::set(&object, &"width".into(), &width.into())?;
        Reflect::set(&object, &"height".into(), &height.into())?;
        Reflect::set(&object, &"indices".into(), &Uint8Array::from(&indices[..]))?;
        Ok(object.into())
    }
}

impl WasmModel {
    fn head(&self, file: &[u8]) -> Result<Head, WebError> {
        let head = Head::from_bytes(file)?;
        head.check_encoder(self.medley.encoder_digest())?;
        Ok(head)
    }

    /// How a head for pixels looks at images: as it is told to, else at whole ones.
    fn presentation(&self, told: Option<&Object>) -> Result<Presentation, WebError> {
        let Some(told) = told else {
            return Ok(self.medley.embedding_presentation());
        };
        from_js(told).ok_or(WebError::Argument {
            argument: "presentation",
            expected: "one of a task or of a head file",
        })
    }
}

fn taught(
    fitted: Fitted,
    head: impl FnOnce(Fitted) -> Result<Head, HeadError>,
) -> Result<JsValue, JsValue> {
    let held_out: Vec<i32> =
        fitted.held_out.iter().map(|class| class.map_or(-1, |class| class as i32)).collect();
    let head = head(fitted).map_err(WebError::from)?;
    let file = head.to_bytes().map_err(WebError::from)?;
    let object = Object::new();
    Reflect::set(&object, &"file".into(), &Uint8Array::from(&file[..]))?;
    Reflect::set(&object, &"examples".into(), &to_js(&head.examples)?)?;
    Reflect::set(&object, &"estimate".into(), &to_js(&head.estimate)?)?;
    Reflect::set(&object, &"heldOut".into(), &Int32Array::from(&held_out[..]))?;
    Ok(object.into())
}

/// `count` rows of equal length.
fn split(rows: &[f32], count: usize) -> Result<Vec<&[f32]>, JsValue> {
    let width = rows.len() / count.max(1);
    if width * count != rows.len() || (width == 0 && count > 0) {
        return Err(unfit("rows", "as many features for each example"));
    }
    Ok(rows.chunks_exact(width.max(1)).collect())
}

fn unfit(argument: &'static str, expected: &'static str) -> JsValue {
    WebError::Argument { argument, expected }.into()
}

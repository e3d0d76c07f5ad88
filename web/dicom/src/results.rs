//! A model's answers about a series, and the objects that are made of them.

use js_sys::{Array, Uint8Array};
use medley_dicom::export::{
    ExportContext, ModelIdentity, Privacy, SelfTestOutcome, SourceImage, Timestamp,
    write_segmentation, write_structured_report,
};
use medley_dicom::pool_mean;
use medley_dicom::results::{
    Answer, AnsweredSlice, TaskAnswer, pooled_classes, report_of, segmentation_of,
};
use serde::Deserialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::WebError;
use crate::js::{from_json, to_js};
use crate::store::WasmStore;

/// What is said of the result itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    model: Model,
    /// Seconds since 1970.
    created: u64,
    /// The secret of the de-identification; none where it is not asked for.
    deidentify: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    name: String,
    version: String,
    weights_sha256: String,
    self_test: Option<SelfTest>,
}

#[derive(Deserialize)]
struct SelfTest {
    passed: bool,
    worst: f64,
    tolerance: f64,
}

impl Made {
    fn context(text: &str) -> Result<ExportContext, WebError> {
        let expected = "which model made it, when, and whether to de-identify";
        let Self { model, created, deidentify } = from_json(text, "context", expected)?;
        Ok(ExportContext {
            model: ModelIdentity {
                name: model.name,
                version: model.version,
                weights_sha256: model.weights_sha256,
                self_test: model.self_test.map(|SelfTest { passed, worst, tolerance }| {
                    SelfTestOutcome { passed, worst, tolerance }
                }),
            },
            created: Timestamp::from_unix_seconds(created),
            privacy: deidentify.map_or(Privacy::Keep, |secret| Privacy::Deidentify { secret }),
        })
    }
}

/// Answers about slices, in their order.
#[wasm_bindgen]
#[derive(Default)]
pub struct WasmResults {
    slices: Vec<(usize, u32, Vec<TaskAnswer>)>,
}

#[wasm_bindgen]
impl WasmResults {
    /// Without a slice.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a slice. `answers`: JSON as in a report, where each mask has the names of its `classes`; `masks`: the
    /// indices of each mask's pixels as a `Uint8Array`, in the order of the answers.
    ///
    /// # Errors
    /// Answers of another form.
    pub fn add(
        &mut self,
        source: usize,
        frame: u32,
        answers: &str,
        masks: &Array,
    ) -> Result<(), WebError> {
        let expected = "the results of a report";
        let mut answers: Vec<TaskAnswer> = from_json(answers, "answers", expected)?;
        let mut masks = masks.iter();
        for entry in &mut answers {
            if let Answer::Mask(mask) = &mut entry.answer {
                let indices = masks.next().and_then(|next| next.dyn_into::<Uint8Array>().ok());
                let expected = "a Uint8Array for each mask";
                mask.indices =
                    indices.ok_or(WebError::Argument { argument: "masks", expected })?.to_vec();
            }
        }
        self.slices.push((source, frame, answers));
        Ok(())
    }

    /// Means over the slices: `{ task, classes }[]`.
    ///
    /// # Errors
    /// None in practice.
    pub fn pooled(&self) -> Result<JsValue, JsValue> {
        let slices: Vec<&[TaskAnswer]> =
            self.slices.iter().map(|(_, _, answers)| answers.as_slice()).collect();
        let pooled = pooled_classes(&slices)
            .into_iter()
            .map(|(task, classes)| TaskAnswer { task, answer: Answer::Classes(classes) });
        to_js(&pooled.collect::<Vec<_>>())
    }

    /// Writes the masks as a Segmentation.
    ///
    /// # Errors
    /// No slice, no mask, slices that do not fit together.
    pub fn segmentation(&self, store: &WasmStore, context: &str) -> Result<Vec<u8>, WebError> {
        let input = segmentation_of(&self.answered(store)?);
        Ok(write_segmentation(&input, &Made::context(context)?)?)
    }

    /// Writes all answers as a Structured Report.
    ///
    /// # Errors
    /// No slice, slices that do not fit together.
    pub fn report(&self, store: &WasmStore, context: &str) -> Result<Vec<u8>, WebError> {
        let input = report_of(&self.answered(store)?);
        Ok(write_structured_report(&input, &Made::context(context)?)?)
    }
}

impl WasmResults {
    fn answered<'a>(&'a self, store: &'a WasmStore) -> Result<Vec<AnsweredSlice<'a>>, WebError> {
        let answered = |(source, frame, answers): &'a (usize, u32, Vec<TaskAnswer>)| {
            let source = SourceImage::new(store.file(*source)?, *frame)?;
            Ok(AnsweredSlice { source, answers })
        };
        self.slices.iter().map(answered).collect()
    }
}

/// Mean of rows of one length, one after the other; none if there are none.
#[wasm_bindgen(js_name = poolMean)]
pub fn pool_rows(rows: &[f32], count: usize) -> Option<Vec<f32>> {
    let width = rows.len().checked_div(count).filter(|width| *width > 0)?;
    pool_mean(rows.chunks_exact(width))
}

//! The model as JavaScript holds it.

use std::hint::black_box;
use std::rc::Rc;

use js_sys::{Array, Float32Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use medley_infer::{Analysis, AnalyzeOptions, Between, Medley, Output, Report};
use medley_package::{FileBytes, Manifest, Package};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::backend;
use crate::error::WebError;
use crate::image::WasmImage;

/// A loaded model.
#[wasm_bindgen]
pub struct WasmModel {
    pub(crate) medley: Medley,
}

/// The package's file in the browser's memory.
struct Bytes(Uint8Array);

impl FileBytes for Bytes {
    fn length(&self) -> usize {
        self.0.length() as usize
    }

    fn read(&self, start: usize, into: &mut [u8]) {
        let start = start as u32;
        self.0.subarray(start, start + into.len() as u32).copy_to(into);
    }
}

#[wasm_bindgen]
impl WasmModel {
    /// From the bytes of `manifest.json` and of the file that its shards make up. Everything is checked before anything is made
    /// of it, but for the digests where the caller says that they are `checked`.
    ///
    /// # Errors
    /// A package that is not valid or not for this version, a device that does not start.
    pub async fn create(
        manifest: Vec<u8>,
        file: Uint8Array,
        checked: bool,
    ) -> Result<WasmModel, WebError> {
        let manifest = Manifest::from_json(&manifest)?;
        let file = Bytes(file);
        match checked {
            true => manifest.check_file_length(&file)?,
            false => manifest.check_file(&file)?,
        }
        // WebAssembly's memory grows once, and not for each tensor: what is let go here is what they are given afterwards.
        drop(black_box(Vec::<u8>::with_capacity(file.length())));
        let package = Package::read(&file)?;
        let shared = manifest.shared_sha256.unwrap_or_else(|| package.shared_digest());
        let medley = Medley::load_known(package, shared, &backend::device().await?).await?;
        Ok(Self { medley })
    }

    /// What the package says of itself.
    ///
    /// # Errors
    /// None in practice: all of it can be handed over.
    pub fn metadata(&self) -> Result<JsValue, JsValue> {
        to_js(self.medley.metadata())
    }

    /// Computes the package's self-test: `{ passed, worst, tolerance, head }`.
    ///
    /// # Errors
    /// A package without self-test, a device that fails.
    #[wasm_bindgen(js_name = selfTest)]
    pub async fn self_test(&self) -> Result<JsValue, JsValue> {
        let report = self.medley.self_test().await.map_err(WebError::from)?;
        let object = Object::new();
        Reflect::set(&object, &"passed".into(), &report.passed.into())?;
        Reflect::set(&object, &"worst".into(), &report.worst.into())?;
        Reflect::set(&object, &"tolerance".into(), &report.tolerance.into())?;
        Reflect::set(&object, &"head".into(), &report.head.into())?;
        Ok(object.into())
    }

    /// Answers the named tasks of one image, all where none are named: `{ report, masks,
    /// embedding }`. `report` is what `medley predict --json` prints; `masks` are the
    /// segmentation's class indices, `{ task, width, height, indices }` each.
    ///
    /// Between the stages `between` is called with the share of the work that is done, 0..1, and
    /// the promise that it returns is awaited; then `cancelled` is asked, and once it returns true,
    /// the promise rejects.
    ///
    /// # Errors
    /// An unknown task, cancellation, a device that fails.
    pub async fn analyze(
        &self,
        image: &WasmImage,
        tasks: Option<Vec<String>>,
        cancelled: Option<Function>,
        between: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options = AnalyzeOptions { tasks, ..asking(cancelled, between) };
        let analysis = self.medley.analyze(&image.image, &options).await.map_err(WebError::from)?;
        let name = &self.medley.metadata().name;
        let mut report =
            Report::new(&image.name, name, backend::NAME, &analysis).map_err(WebError::from)?;
        if let Some(frame) = image.frame {
            report = report.with_frame(frame);
        }
        if let Some(area) = image.pixel_area {
            report = report.with_pixel_area(area);
        }
        let object = Object::new();
        Reflect::set(&object, &"report".into(), &to_js(&report)?)?;
        Reflect::set(&object, &"masks".into(), &masks(&analysis)?.into())?;
        let embedding = Float32Array::from(&analysis.embedding[..]);
        Reflect::set(&object, &"embedding".into(), &embedding)?;
        Ok(object.into())
    }
}

/// A JavaScript function that returns a promise, as a function that returns a future.
fn awaited(call: Function) -> Between {
    Rc::new(move |share| {
        let returned = call.call1(&JsValue::UNDEFINED, &share.into());
        Box::pin(async move {
            // What the function throws is its own trouble; the work goes on.
            if let Ok(promise) = returned.and_then(JsCast::dyn_into::<Promise>) {
                let _ = JsFuture::from(promise).await;
            }
        })
    })
}

/// Options that ask JavaScript whether to stop, and let it know how far the work is.
pub(crate) fn asking(cancelled: Option<Function>, between: Option<Function>) -> AnalyzeOptions {
    let mut options = AnalyzeOptions::default();
    if let Some(ask) = cancelled {
        options.cancelled =
            Some(Rc::new(move || ask.call0(&JsValue::UNDEFINED).is_ok_and(|v| v.is_truthy())));
    }
    options.between = between.map(awaited);
    options
}

fn masks(analysis: &Analysis) -> Result<Array, JsValue> {
    let masks = Array::new();
    for result in &analysis.results {
        let Output::Mask(mask) = &result.output else { continue };
        let object = Object::new();
        Reflect::set(&object, &"task".into(), &result.task.as_str().into())?;
        Reflect::set(&object, &"width".into(), &mask.width.into())?;
        Reflect::set(&object, &"height".into(), &mask.height.into())?;
        Reflect::set(&object, &"indices".into(), &Uint8Array::from(&mask.indices[..]))?;
        masks.push(&object);
    }
    Ok(masks)
}

/// Through JSON, so that a number has the same digits as where the command line prints it.
pub(crate) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let json =
        serde_json::to_string(value).map_err(|error| WebError::Convert(error.to_string()))?;
    JSON::parse(&json)
}

/// The inverse of [`to_js`]; none where the value is of another kind.
pub(crate) fn from_js<T: DeserializeOwned>(value: &JsValue) -> Option<T> {
    let json = JSON::stringify(value).ok()?.as_string()?;
    serde_json::from_str(&json).ok()
}

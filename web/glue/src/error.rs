//! Errors on their way to JavaScript.

use js_sys::{Error, Object, Reflect};
use wasm_bindgen::JsValue;

/// What an error says, for a page that says it in its reader's language: a code for the sentence, and what stands in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    code: &'static str,
    values: Vec<(&'static str, Value)>,
}

/// What stands in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number that the page writes as its language does.
    Number(f64),
    /// A name, or words of a library.
    Text(String),
}

impl Detail {
    /// A sentence without values. Codes are kebab-case and begin with what they are about, as `image-damaged`.
    pub fn new(code: &'static str) -> Self {
        Self { code, values: Vec::new() }
    }

    /// With a value, by its name in the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((name, value.into()));
        self
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        // Lengths of files: exact up to 2^53.
        Self::Number(value as f64)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

/// A JavaScript `Error` with a `code`, that of the npm package's `MedleyError`, and where there is one a `detail`:
/// `{ code, values }`.
pub fn js_error(message: &str, code: &str, detail: Option<&Detail>) -> JsValue {
    let error = Error::new(message);
    // Errors and the objects made here are ordinary: setting a property on them cannot fail.
    let set = |object: &JsValue, name: &str, value: &JsValue| {
        let _ = Reflect::set(object, &name.into(), value);
    };
    set(&error, "code", &code.into());
    if let Some(detail) = detail {
        let values = Object::new();
        for (name, value) in &detail.values {
            let value: JsValue = match value {
                Value::Number(number) => (*number).into(),
                Value::Text(text) => text.as_str().into(),
            };
            set(&values, name, &value);
        }
        let object = Object::new();
        set(&object, "code", &detail.code.into());
        set(&object, "values", &values);
        set(&error, "detail", &object);
    }
    error.into()
}

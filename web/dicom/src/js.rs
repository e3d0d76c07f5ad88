//! Values from and to JavaScript.

use js_sys::JSON;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use crate::error::WebError;

/// Through JSON: small values only.
pub fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let unfit = || WebError::Argument { argument: "answer", expected: "what JSON can hold" };
    JSON::parse(&serde_json::to_string(value).map_err(|_| unfit())?)
}

/// From the text of a JSON value.
pub fn from_json<T: DeserializeOwned>(
    text: &str,
    argument: &'static str,
    expected: &'static str,
) -> Result<T, WebError> {
    // The parser's own words would quote what it found.
    serde_json::from_str(text).map_err(|_| WebError::Argument { argument, expected })
}

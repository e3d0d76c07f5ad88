//! DICOMweb: requests made and responses read; JavaScript's `fetch` sends them.

use js_sys::{Array, Object, Reflect, Uint8Array};
use medley_dicom::dicomweb::{self, DicomWeb, Method, Request, Response};
use serde::Deserialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::WebError;
use crate::js::{from_json, to_js};

type Query = Vec<(String, String)>;

/// What a server is asked for.
#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
enum Ask {
    Studies { query: Query },
    Series { study: String, query: Query },
    Instances { study: String, series: String, query: Query },
    Retrieve { uids: Vec<String> },
    Frames { uids: [String; 3], frames: Vec<u32> },
    Store,
}

/// A request: `{ method, url, headers, body }`, the headers as pairs. `objects` are those to be stored.
///
/// # Errors
/// An address, identifier or key that is none.
#[wasm_bindgen(js_name = webRequest)]
pub fn web_request(
    base: &str,
    token: Option<String>,
    ask: &str,
    objects: &Array,
) -> Result<JsValue, JsValue> {
    let mut server = DicomWeb::new(base).map_err(WebError::from)?;
    if let Some(token) = token {
        server = server.with_token(move || Some(token.clone()));
    }
    let request = made(&server, from_json(ask, "ask", "what to ask the server for")?, objects)?;
    let object = Object::new();
    let method = if request.method == Method::Post { "POST" } else { "GET" };
    Reflect::set(&object, &"method".into(), &method.into())?;
    Reflect::set(&object, &"url".into(), &request.url.into())?;
    Reflect::set(&object, &"headers".into(), &to_js(&request.headers)?)?;
    if request.method == Method::Post {
        Reflect::set(&object, &"body".into(), &Uint8Array::from(&request.body[..]))?;
    }
    Ok(object.into())
}

fn made(server: &DicomWeb, ask: Ask, objects: &Array) -> Result<Request, WebError> {
    fn refs(query: &Query) -> Vec<(&str, &str)> {
        query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
    Ok(match &ask {
        Ask::Studies { query } => server.search_studies(&refs(query))?,
        Ask::Series { study, query } => server.search_series(study, &refs(query))?,
        Ask::Instances { study, series, query } => {
            server.search_instances(study, series, &refs(query))?
        }
        Ask::Retrieve { uids } => {
            server.retrieve(&uids.iter().map(String::as_str).collect::<Vec<_>>())?
        }
        Ask::Frames { uids, frames } => {
            server.retrieve_frames(uids.each_ref().map(String::as_str), frames)?
        }
        Ask::Store => {
            let bytes: Option<Vec<Vec<u8>>> = objects
                .iter()
                .map(|object| object.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
                .collect();
            let expected = "an array of Uint8Array";
            let bytes = bytes.ok_or(WebError::Argument { argument: "objects", expected })?;
            server.store(&bytes.iter().map(Vec::as_slice).collect::<Vec<_>>())?
        }
    })
}

/// What a search found: objects by tags, in the JSON model of PS3.18.
///
/// # Errors
/// A refusal, another kind of content, JSON of another form.
#[wasm_bindgen(js_name = readFound)]
pub fn read_found(status: u16, content_type: &str, body: &[u8]) -> Result<JsValue, JsValue> {
    let response = Response { status, content_type, body };
    to_js(&dicomweb::read_found(&response).map_err(WebError::from)?)
}

/// The parts of what was retrieved, an array of `Uint8Array`.
///
/// # Errors
/// A refusal, another kind of content, a body that is cut off.
#[wasm_bindgen(js_name = readParts)]
pub fn read_parts(status: u16, content_type: &str, body: &[u8]) -> Result<Array, WebError> {
    let parts = dicomweb::read_parts(&Response { status, content_type, body })?;
    Ok(parts.into_iter().map(Uint8Array::from).collect())
}

/// What became of stored objects: `[stored, failed]`.
///
/// # Errors
/// A refusal that says nothing of objects, another kind of content.
#[wasm_bindgen(js_name = readStored)]
pub fn read_stored(status: u16, content_type: &str, body: &[u8]) -> Result<Vec<u32>, WebError> {
    let found = dicomweb::read_stored(&Response { status, content_type, body })?;
    // At most as many as were sent.
    Ok(vec![found.stored as u32, found.failed as u32])
}

//! Responses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::DicomWebError;
use super::multipart;

/// What the server answered.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Value of the header Content-Type; empty if there was none.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// One thing that a search found, in the JSON model of PS3.18 annex F.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Found {
    attributes: BTreeMap<String, Attribute>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Attribute {
    #[serde(rename = "Value", default)]
    values: Vec<serde_json::Value>,
}

impl Found {
    /// The first value of an attribute as text, by its tag in eight hexadecimal digits, as `0020000D`. Of names the
    /// alphabetic form.
    pub fn text(&self, tag: &str) -> Option<&str> {
        let value = self.attributes.get(tag)?.values.first()?;
        value.as_str().or_else(|| value.get("Alphabetic")?.as_str())
    }

    /// The first value of an attribute as a number.
    pub fn number(&self, tag: &str) -> Option<f64> {
        self.attributes.get(tag)?.values.first()?.as_f64()
    }
}

/// What became of objects that were to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Objects that the server took.
    pub stored: usize,
    /// Objects that it refused.
    pub failed: usize,
}

/// Reads what a search found; nothing found is an empty list.
///
/// # Errors
/// A status that is none of success, another kind of content, JSON of another form.
pub fn read_found(response: &Response<'_>) -> Result<Vec<Found>, DicomWebError> {
    check(response)?;
    if response.status == 204 || response.body.is_empty() {
        return Ok(Vec::new());
    }
    json(response)?;
    serde_json::from_slice(response.body).map_err(|_| DicomWebError::Damaged {
        reason: "a search should give a list of objects by tags",
    })
}

/// Reads the parts of what was retrieved: files, or the samples of frames.
///
/// # Errors
/// A status that is none of success, another kind of content, a body that is cut off.
pub fn read_parts<'a>(response: &Response<'a>) -> Result<Vec<&'a [u8]>, DicomWebError> {
    check(response)?;
    if !response.content_type.trim_start().to_ascii_lowercase().starts_with("multipart/related") {
        return Err(DicomWebError::Content { expected: "multipart/related" });
    }
    multipart::read(response.content_type, response.body)
}

/// Reads what became of stored objects.
///
/// # Errors
/// A status that says nothing of objects, another kind of content, JSON of another form.
pub fn read_stored(response: &Response<'_>) -> Result<Stored, DicomWebError> {
    // 202 and 409 report objects that were refused.
    if response.status != 409 {
        check(response)?;
    }
    json(response)?;
    let report: Found = serde_json::from_slice(response.body)
        .map_err(|_| DicomWebError::Damaged { reason: "storing should give an object by tags" })?;
    let count = |tag: &str| report.attributes.get(tag).map_or(0, |list| list.values.len());
    // Referenced SOP Sequence, Failed SOP Sequence.
    Ok(Stored { stored: count("00081199"), failed: count("00081198") })
}

fn check(response: &Response<'_>) -> Result<(), DicomWebError> {
    let hint = match response.status {
        200..=299 => return Ok(()),
        401 | 403 => "the token is missing, wrong or of too few rights",
        404 => "there is no such study, series, instance or interface",
        406 | 415 => "the server does not offer what was asked for in this form",
        500.. => "the server failed; see its log",
        _ => "the server does not accept the request",
    };
    Err(DicomWebError::Status { status: response.status, hint })
}

fn json(response: &Response<'_>) -> Result<(), DicomWebError> {
    let kind = response.content_type.to_ascii_lowercase();
    if kind.contains("json") {
        return Ok(());
    }
    Err(DicomWebError::Content { expected: "application/dicom+json" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response<'a>(status: u16, content_type: &'a str, body: &'a str) -> Response<'a> {
        Response { status, content_type, body: body.as_bytes() }
    }

    #[test]
    fn findings_are_read_by_tag() {
        let body = r#"[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B"}]},
                        "00201208":{"vr":"IS","Value":[3]},"00080050":{"vr":"SH"}}]"#;
        let found = read_found(&response(200, "application/dicom+json", body)).unwrap();
        assert_eq!(found[0].text("00100010"), Some("A^B"));
        assert_eq!(found[0].number("00201208"), Some(3.0));
        assert_eq!(found[0].text("00080050"), None);
        assert_eq!(read_found(&response(204, "", "")), Ok(Vec::new()));
    }

    #[test]
    fn refusals_and_other_content_are_typed_errors() {
        let refused = read_found(&response(401, "text/html", "<p>Anna</p>")).unwrap_err();
        assert!(matches!(refused, DicomWebError::Status { status: 401, .. }));
        assert!(!refused.to_string().contains("Anna"));
        let page = read_parts(&response(200, "text/html", "<html>")).unwrap_err();
        assert_eq!(page, DicomWebError::Content { expected: "multipart/related" });
        let stored = read_stored(&response(
            409,
            "application/dicom+json",
            r#"{"00081198":{"vr":"SQ","Value":[{}]}}"#,
        ));
        assert_eq!(stored, Ok(Stored { stored: 0, failed: 1 }));
    }
}

//! Requests.

use std::fmt;

use super::error::DicomWebError;
use super::multipart;

/// The two methods that are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Searching and retrieving.
    Get,
    /// Storing.
    Post,
}

/// A request, to be sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Empty of `Get`.
    pub body: Vec<u8>,
}

/// Neither the address nor the token: they are not for logs.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

type Token = Box<dyn Fn() -> Option<String>>;

/// A server.
pub struct DicomWeb {
    base: String,
    token: Option<Token>,
}

impl fmt::Debug for DicomWeb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DicomWeb").finish_non_exhaustive()
    }
}

impl DicomWeb {
    /// A server by the address of its DICOMweb interface, as `https://pacs.example/dicom-web`.
    ///
    /// # Errors
    /// Another scheme, a query or a fragment.
    pub fn new(base: &str) -> Result<Self, DicomWebError> {
        let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
        let host = host.ok_or(DicomWebError::Address)?;
        if host.is_empty() || base.contains(['?', '#']) || base.contains(char::is_whitespace) {
            return Err(DicomWebError::Address);
        }
        Ok(Self { base: base.trim_end_matches('/').to_owned(), token: None })
    }

    /// Asks for a bearer token before each request, so that it may change.
    #[must_use]
    pub fn with_token(mut self, token: impl Fn() -> Option<String> + 'static) -> Self {
        self.token = Some(Box::new(token));
        self
    }

    /// Searches for studies. Keys are keywords or tags, as in `("PatientID", "42")`; `limit`, `offset` and
    /// `includefield` work too.
    ///
    /// # Errors
    /// A key that is none.
    pub fn search_studies(&self, query: &[(&str, &str)]) -> Result<Request, DicomWebError> {
        self.search("studies".into(), query)
    }

    /// Searches for the series of a study.
    ///
    /// # Errors
    /// An identifier or a key that is none.
    pub fn search_series(
        &self,
        study: &str,
        query: &[(&str, &str)],
    ) -> Result<Request, DicomWebError> {
        self.search(format!("{}/series", path(&[study])?), query)
    }

    /// Searches for the instances of a series.
    ///
    /// # Errors
    /// An identifier or a key that is none.
    pub fn search_instances(
        &self,
        study: &str,
        series: &str,
        query: &[(&str, &str)],
    ) -> Result<Request, DicomWebError> {
        self.search(format!("{}/instances", path(&[study, series])?), query)
    }

    /// Retrieves all files of a study, of a series, or one file, by one to three identifiers.
    ///
    /// # Errors
    /// An identifier that is none.
    pub fn retrieve(&self, uids: &[&str]) -> Result<Request, DicomWebError> {
        let kind = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
        Ok(self.get(path(uids)?, kind))
    }

    /// Retrieves frames of an image, counted from 1, uncompressed.
    ///
    /// # Errors
    /// An identifier that is none, no frame or frame 0.
    pub fn retrieve_frames(
        &self,
        uids: [&str; 3],
        frames: &[u32],
    ) -> Result<Request, DicomWebError> {
        if frames.is_empty() || frames.contains(&0) {
            return Err(DicomWebError::Frames);
        }
        let list: Vec<String> = frames.iter().map(u32::to_string).collect();
        let path = format!("{}/frames/{}", path(&uids)?, list.join(","));
        Ok(self.get(path, "multipart/related; type=\"application/octet-stream\""))
    }

    /// Stores objects on the server: results, when the person in front of it has asked for that.
    ///
    /// # Errors
    /// Nothing to store.
    pub fn store(&self, objects: &[&[u8]]) -> Result<Request, DicomWebError> {
        if objects.is_empty() {
            return Err(DicomWebError::Nothing);
        }
        let (kind, body) = multipart::write(objects);
        let mut request = self.get("studies".into(), "application/dicom+json");
        request.method = Method::Post;
        request.headers.push(("Content-Type".into(), kind));
        request.body = body;
        Ok(request)
    }

    fn search(&self, path: String, query: &[(&str, &str)]) -> Result<Request, DicomWebError> {
        let mut pairs = Vec::with_capacity(query.len());
        for (key, value) in query {
            if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(DicomWebError::Key);
            }
            pairs.push(format!("{key}={}", encoded(value)));
        }
        let path = if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) };
        Ok(self.get(path, "application/dicom+json"))
    }

    fn get(&self, path: String, accept: &str) -> Request {
        let mut headers = vec![("Accept".to_owned(), accept.to_owned())];
        if let Some(token) = self.token.as_ref().and_then(|token| token()) {
            headers.push(("Authorization".into(), format!("Bearer {token}")));
        }
        let url = format!("{}/{path}", self.base);
        Request { method: Method::Get, url, headers, body: Vec::new() }
    }
}

/// `studies/1.2/series/3.4/instances/5.6`, as far as there are identifiers.
fn path(uids: &[&str]) -> Result<String, DicomWebError> {
    const LEVELS: [&str; 3] = ["studies", "series", "instances"];
    let is_uid = |uid: &&str| {
        (1..=64).contains(&uid.len()) && uid.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    if uids.is_empty() || uids.len() > LEVELS.len() || !uids.iter().all(is_uid) {
        return Err(DicomWebError::Identifier);
    }
    let parts: Vec<String> =
        LEVELS.iter().zip(uids).map(|(level, uid)| format!("{level}/{uid}")).collect();
    Ok(parts.join("/"))
}

/// Percent-encoding of all but the unreserved characters (RFC 3986).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn addresses_are_built_from_checked_parts() {
        let server = DicomWeb::new("https://pacs.example/dicom-web/").unwrap();
        let url = server.search_studies(&[("PatientName", "Ä*^b&c"), ("limit", "2")]).unwrap().url;
        let expected =
            "https://pacs.example/dicom-web/studies?PatientName=%C3%84%2A%5Eb%26c&limit=2";
        assert_eq!(url, expected);
        let frames = server.retrieve_frames(["1.2", "3", "4.5"], &[1, 7]).unwrap().url;
        assert!(frames.ends_with("/studies/1.2/series/3/instances/4.5/frames/1,7"), "{frames}");
        assert_eq!(server.retrieve(&["../admin"]), Err(DicomWebError::Identifier));
        assert_eq!(server.retrieve(&[]), Err(DicomWebError::Identifier));
        assert_eq!(server.search_studies(&[("a&b", "")]), Err(DicomWebError::Key));
        assert_eq!(DicomWeb::new("file:///etc").err(), Some(DicomWebError::Address));
    }

    #[test]
    fn the_token_is_asked_for_before_each_request_and_stays_out_of_logs() {
        let count = Rc::new(Cell::new(0));
        let asked = Rc::clone(&count);
        let server =
            DicomWeb::new("http://localhost:8042/dicom-web").unwrap().with_token(move || {
                asked.set(asked.get() + 1);
                Some(format!("secret{}", asked.get()))
            });
        server.search_studies(&[]).unwrap();
        let second = server.store(&[b"x"]).unwrap();
        assert!(second.headers.contains(&("Authorization".into(), "Bearer secret2".into())));
        assert!(!format!("{server:?} {second:?}").contains("secret"));
        assert_eq!(count.get(), 2);
    }
}

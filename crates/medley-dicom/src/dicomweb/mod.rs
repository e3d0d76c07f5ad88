//! DICOMweb (PS3.18): searching (QIDO-RS), retrieving (WADO-RS) and storing (STOW-RS).
//!
//! This module makes requests and reads responses; sending is the caller's: `fetch` in a browser, an HTTP client
//! elsewhere. So it runs everywhere, and nothing is ever sent that the caller did not send. Storing happens only where
//! [`DicomWeb::store`] is asked for, by itself never.
//!
//! ```no_run
//! # fn send(_: medley_dicom::dicomweb::Request) -> (u16, String, Vec<u8>) { todo!() }
//! # fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use medley_dicom::DicomFile;
//! use medley_dicom::dicomweb::{DicomWeb, Response, read_found, read_parts};
//!
//! let server = DicomWeb::new("https://pacs.example/dicom-web")?.with_token(|| Some("secret".into()));
//! let (status, kind, body) = send(server.search_studies(&[("PatientID", "42")])?);
//! let studies = read_found(&Response { status, content_type: &kind, body: &body })?;
//! let study = studies[0].text("0020000D").unwrap_or_default();
//! let (status, kind, body) = send(server.retrieve(&[study])?);
//! for part in read_parts(&Response { status, content_type: &kind, body: &body })? {
//!     let file = DicomFile::parse(part)?;
//! }
//! # Ok(())
//! # }
//! ```

mod error;
mod multipart;
mod request;
mod response;

pub use error::DicomWebError;
pub use request::{DicomWeb, Method, Request};
pub use response::{Found, Response, Stored, read_found, read_parts, read_stored};

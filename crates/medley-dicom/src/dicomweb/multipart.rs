//! Bodies of several parts (RFC 2387, RFC 2046).

use sha2::{Digest, Sha256};

use super::error::DicomWebError;

/// The content type, and the body that holds the objects.
pub(super) fn write(objects: &[&[u8]]) -> (String, Vec<u8>) {
    // A digest of what lies between: it does not occur in it but by a chance that never comes.
    let mut hash = Sha256::new();
    objects.iter().for_each(|object| hash.update(object));
    let digest: String = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
    let boundary = format!("medley-{digest}");
    let mut body = Vec::with_capacity(objects.iter().map(|object| object.len() + 128).sum());
    for object in objects {
        body.extend(format!("--{boundary}\r\nContent-Type: application/dicom\r\n\r\n").bytes());
        body.extend_from_slice(object);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    (format!("multipart/related; type=\"application/dicom\"; boundary={boundary}"), body)
}

/// The parts of a body, without their headers.
pub(super) fn read<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<&'a [u8]>, DicomWebError> {
    let damaged = |reason| DicomWebError::Damaged { reason };
    let boundary = boundary(content_type).ok_or(damaged("its parts have no boundary"))?;
    let delimiter = format!("--{boundary}").into_bytes();
    let next = |from: usize| find(&body[from..], &delimiter).map(|at| from + at);
    let mut parts = Vec::new();
    let mut at = next(0).ok_or(damaged("its first boundary is missing"))? + delimiter.len();
    while !body[at..].starts_with(b"--") {
        let end = next(at).ok_or(damaged("its last boundary is missing"))?;
        let part = &body[at..end];
        let head = find(part, b"\r\n\r\n").ok_or(damaged("a part has no end of its headers"))?;
        let content = &part[head + 4..];
        parts.push(content.strip_suffix(b"\r\n").unwrap_or(content));
        at = end + delimiter.len();
    }
    Ok(parts)
}

fn boundary(content_type: &str) -> Option<&str> {
    let parameter = content_type.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (1..=70).contains(&parameter.len()).then_some(parameter)
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let objects = [b"one\r\n--two".as_slice(), b"", b"\r\n"];
        let (kind, body) = write(&objects);
        assert_eq!(read(&kind, &body).unwrap(), objects);
    }

    #[test]
    fn cut_bodies_are_errors_at_every_length() {
        let (kind, body) = write(&[b"abc"]);
        for length in 0..body.len() - 4 {
            assert!(read(&kind, &body[..length]).is_err(), "{length}");
        }
        assert!(read("multipart/related", &body).is_err());
    }
}

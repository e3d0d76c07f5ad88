//! SHA-256 as text.

use std::fmt::Write;

use crate::file::digest_of;

/// Length of a digest as text: 32 bytes, two digits each.
pub(crate) const DIGEST_CHARS: usize = 64;

/// Bytes that are hashed at a time. A browser runs a function's slow first version until it returns, however long that takes.
pub(crate) const PART: usize = 1 << 14;

/// SHA-256 of `bytes` in 64 lower-case hexadecimal digits, as `sha256sum` prints it.
pub fn digest(bytes: &[u8]) -> String {
    digest_of(bytes, 0..bytes.len())
}

/// Two lower-case digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(DIGEST_CHARS);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether `text` has the form of a digest.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_CHARS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_one_of_the_standard() {
        // FIPS 180-4, the example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc"), expected);
        assert!(is_digest(expected));
        assert!(!is_digest(&expected.to_uppercase()));
        assert!(!is_digest(&expected[1..]));
    }
}

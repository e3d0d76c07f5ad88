//! Unique identifiers under 2.25 (PS3.5 annex B.2), derived by SHA-256.

use sha2::{Digest, Sha256};

/// An identifier that follows from its parts: the same result of the same images has the same one wherever it is
/// computed, so that storing it twice stores it once.
pub(super) fn derive(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps "ab", "c" apart from "a", "bc".
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 8 (own derivation) and variant of RFC 9562.
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    format!("2.25.{}", u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_from_their_parts_and_fit_64_characters() {
        let uid = derive(&["1.2.3", "seg"]);
        assert_eq!(uid, derive(&["1.2.3", "seg"]));
        assert_ne!(uid, derive(&["1.2.3s", "eg"]));
        assert!(uid.len() <= 64 && uid.starts_with("2.25."), "{uid}");
    }
}

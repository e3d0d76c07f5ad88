//! `manifest.json`: which shards make up the file, with the length and SHA-256 of each.

use std::collections::HashSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::check::{check_notice, check_text, check_version, field};
use crate::digest::{digest, is_digest};
use crate::error::PackageError;
use crate::file::{FileBytes, digest_of};
use crate::limits::{MAX_MANIFEST_BYTES, MAX_NAME_CHARS, MAX_PACKAGE_BYTES, MAX_SHARDS};
use crate::metadata::{FORMAT_VERSION, NOTICE};

/// Name of the one file of a package, and of its only shard where it is small.
pub const MODEL_FILE: &str = "model.safetensors";

/// What errors call the manifest.
const WHERE: &str = "manifest.json";

/// The list of a package's shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// The model's name, as "medley-nano".
    pub name: String,
    /// Name of the file that the shards make up when they are joined: [`MODEL_FILE`].
    pub file: String,
    /// Length of that file, in bytes.
    pub length: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
    /// The consecutive byte ranges of the file, in their order.
    pub shards: Vec<Shard>,
    /// [`Package::shared_digest`](crate::Package::shared_digest), so that a browser need not compute it; none in packages that
    /// were written before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_sha256: Option<String>,
    /// [`NOTICE`].
    pub notice: String,
}

/// One consecutive byte range of the file, stored on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Name of a file beside the manifest.
    pub path: String,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Cuts the file `bytes` of the model `name` into shards of at most `max` bytes each (at least 1).
///
/// A file that fits is one shard, `model.safetensors`; else they are called
/// `model-00001-of-00003.safetensors-part`.
pub fn split<'a>(name: &str, bytes: &'a [u8], max: u64) -> (Manifest, Vec<(String, &'a [u8])>) {
    // A `max` beyond the address space means no limit.
    let max = usize::try_from(max).unwrap_or(usize::MAX).max(1);
    let count = bytes.len().div_ceil(max).max(1);
    let parts: Vec<(String, &[u8])> = if count == 1 {
        vec![(MODEL_FILE.into(), bytes)]
    } else {
        let path = |i: usize| format!("model-{:05}-of-{count:05}.safetensors-part", i + 1);
        bytes.chunks(max).enumerate().map(|(i, part)| (path(i), part)).collect()
    };
    let shard = |(path, part): &(String, &[u8])| Shard {
        path: path.clone(),
        length: part.len() as u64,
        sha256: digest(part),
    };
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        name: name.into(),
        file: MODEL_FILE.into(),
        length: bytes.len() as u64,
        sha256: digest(bytes),
        shards: parts.iter().map(shard).collect(),
        shared_sha256: None,
        notice: NOTICE.into(),
    };
    (manifest, parts)
}

impl Manifest {
    /// Reads `manifest.json`; `json` need not be trusted.
    ///
    /// # Errors
    ///
    /// When it is no manifest of this version, a path is more than a file's name, a digest is
    /// none, or the lengths do not add up.
    pub fn from_json(json: &[u8]) -> Result<Self, PackageError> {
        limit("bytes", json.len() as u64, MAX_MANIFEST_BYTES)?;
        check_version(WHERE, json)?;
        let manifest: Self =
            serde_json::from_slice(json).map_err(|source| json_error("a manifest", source))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes of `manifest.json`, indented for human readers.
    ///
    /// # Errors
    ///
    /// Everything that [`from_json`](Self::from_json) would refuse is refused here first.
    pub fn to_json(&self) -> Result<Vec<u8>, PackageError> {
        self.check()?;
        let mut json =
            serde_json::to_vec_pretty(self).map_err(|source| json_error("a manifest", source))?;
        json.push(b'\n');
        Ok(json)
    }

    /// Whether `bytes` are those of the shard number `index`, from 0.
    ///
    /// # Errors
    ///
    /// When there is no such shard, or length or digest differ.
    pub fn check_shard(&self, index: usize, bytes: &[u8]) -> Result<(), PackageError> {
        let shard = self.shards.get(index).ok_or_else(|| self.shard_count(index + 1))?;
        check_length(&shard.path, bytes.len(), shard.length)?;
        check_digest_of(&shard.path, bytes, 0..bytes.len(), &shard.sha256)
    }

    /// Puts the file together from all its shards, after checking each of them and the whole.
    ///
    /// # Errors
    ///
    /// When a shard is missing or is not the one listed, or the whole is not the file listed.
    pub fn join(&self, shards: Vec<Vec<u8>>) -> Result<Vec<u8>, PackageError> {
        if shards.len() != self.shards.len() {
            return Err(self.shard_count(shards.len()));
        }
        // At most MAX_PACKAGE_BYTES, as the manifest was checked.
        let mut whole = Vec::with_capacity(self.length as usize);
        for (shard, bytes) in self.shards.iter().zip(shards) {
            check_length(&shard.path, bytes.len(), shard.length)?;
            whole.extend(bytes);
        }
        self.check_file(&whole[..])?;
        Ok(whole)
    }

    /// Whether these are the bytes of the file: its length, and the digests of its shards and of the whole.
    ///
    /// # Errors
    ///
    /// When one of them differs.
    pub fn check_file(&self, file: &(impl FileBytes + ?Sized)) -> Result<(), PackageError> {
        self.check_file_length(file)?;
        let mut start = 0;
        for shard in &self.shards {
            // Shards add up to the file, as the manifest was checked.
            let end = file.length().min(start + shard.length as usize);
            check_digest_of(&shard.path, file, start..end, &shard.sha256)?;
            start = end;
        }
        // One shard is the file, and so is its digest.
        if self.shards.len() > 1 {
            check_digest_of(&self.file, file, 0..start, &self.sha256)?;
        }
        Ok(())
    }

    /// Whether these can be the bytes of the file by their number: where the caller has compared all digests, as a browser does
    /// several times faster than WebAssembly.
    ///
    /// # Errors
    ///
    /// When they are more or fewer.
    pub fn check_file_length(&self, file: &(impl FileBytes + ?Sized)) -> Result<(), PackageError> {
        check_length(&self.file, file.length(), self.length)
    }

    fn shard_count(&self, found: usize) -> PackageError {
        PackageError::ShardCount { file: self.file.clone(), expected: self.shards.len(), found }
    }

    fn check(&self) -> Result<(), PackageError> {
        if self.format_version != FORMAT_VERSION {
            return Err(PackageError::Version {
                file: WHERE.into(),
                expected: FORMAT_VERSION,
                found: self.format_version.into(),
            });
        }
        check_notice(WHERE, &self.notice)?;
        check_text(WHERE, "name", &self.name)?;
        check_path(&self.file)?;
        check_digest("sha256", &self.sha256)?;
        limit("bytes of the file", self.length, MAX_PACKAGE_BYTES)?;
        limit("shards", self.shards.len() as u64, MAX_SHARDS as u64)?;
        let mut paths = HashSet::new();
        let mut sum = Some(0u64);
        for (index, shard) in self.shards.iter().enumerate() {
            check_path(&shard.path)?;
            check_digest(&format!("shards[{index}].sha256"), &shard.sha256)?;
            if shard.length == 0 {
                let path = format!("shards[{index}].length");
                return Err(field(WHERE, path, "at least 1 byte", 0));
            }
            // File systems that ignore case must not let one shard replace another.
            if !paths.insert(shard.path.to_ascii_lowercase()) {
                let (file, name) = (WHERE.into(), shard.path.clone());
                return Err(PackageError::Duplicate { file, what: "shard", name });
            }
            sum = sum.and_then(|sum| sum.checked_add(shard.length));
        }
        if let [only] = &self.shards[..]
            && only.sha256 != self.sha256
        {
            return Err(PackageError::Digest {
                file: self.file.clone(),
                expected: self.sha256.clone(),
                found: only.sha256.clone(),
            });
        }
        if let Some(shared) = &self.shared_sha256 {
            check_digest("shared_sha256", shared)?;
        }
        if sum != Some(self.length) || self.length == 0 {
            let expected = format!("lengths that add up to {} bytes, above 0", self.length);
            let found = sum.map_or("more than 2^64".into(), |sum| sum.to_string());
            return Err(field(WHERE, "shards", expected, found));
        }
        Ok(())
    }
}

/// Refuses whatever is not the plain, visible name of a file in the manifest's own folder: no
/// separators of any system, no drive, no `..`, nothing that a URL would read otherwise.
fn check_path(path: &str) -> Result<(), PackageError> {
    let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let visible = path.starts_with(|c: char| c.is_ascii_alphanumeric());
    let reserved = path.eq_ignore_ascii_case(WHERE);
    if plain && visible && !reserved && path.len() <= MAX_NAME_CHARS && !path.contains("..") {
        return Ok(());
    }
    let path = path.chars().take(MAX_NAME_CHARS).collect();
    Err(PackageError::UnsafePath { file: WHERE.into(), path })
}

fn check_digest(path: &str, text: &str) -> Result<(), PackageError> {
    if is_digest(text) {
        return Ok(());
    }
    let found: String = text.chars().take(MAX_NAME_CHARS).collect();
    Err(field(WHERE, path, "64 lower-case hexadecimal digits", format!("{found:?}")))
}

fn check_length(file: &str, found: usize, length: u64) -> Result<(), PackageError> {
    let found = found as u64;
    if found != length {
        return Err(PackageError::Length { file: file.into(), expected: length, found });
    }
    Ok(())
}

/// Whether a range of `bytes`, which is what `file` names, has this digest.
fn check_digest_of(
    file: &str,
    bytes: &(impl FileBytes + ?Sized),
    range: Range<usize>,
    sha256: &str,
) -> Result<(), PackageError> {
    let found = digest_of(bytes, range);
    if found != sha256 {
        return Err(PackageError::Digest { file: file.into(), expected: sha256.into(), found });
    }
    Ok(())
}

fn limit(what: &str, found: u64, limit: u64) -> Result<(), PackageError> {
    if found > limit {
        return Err(PackageError::Limit { what: format!("{WHERE}: {what}"), limit, found });
    }
    Ok(())
}

fn json_error(expected: &'static str, source: serde_json::Error) -> PackageError {
    PackageError::Json { file: WHERE.into(), expected, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of 100 bytes in shards of at most `max`.
    fn example(max: u64) -> (Vec<u8>, Manifest, Vec<Vec<u8>>) {
        let bytes: Vec<u8> = (0..100).collect();
        let (manifest, parts) = split("medley-test", &bytes, max);
        let parts = parts.into_iter().map(|(_, part)| part.to_vec()).collect();
        (bytes, manifest, parts)
    }

    /// The error for the manifest's JSON after `change`.
    fn refused(change: impl FnOnce(&mut Manifest)) -> PackageError {
        let (_, mut manifest, _) = example(40);
        change(&mut manifest);
        manifest.to_json().expect_err("the writer must refuse");
        let json = serde_json::to_vec(&manifest).unwrap();
        Manifest::from_json(&json).expect_err("the reader must refuse")
    }

    #[test]
    fn shards_join_to_the_file_they_were_cut_from() {
        for max in [0, 1, 33, 50, 99, 100, 101, u64::MAX] {
            let (bytes, manifest, shards) = example(max);
            assert!(shards.iter().all(|shard| shard.len() as u64 <= max.max(1)));
            let manifest = Manifest::from_json(&manifest.to_json().unwrap()).unwrap();
            assert_eq!(manifest.join(shards.clone()).unwrap(), bytes);
        }
    }

    #[test]
    fn a_file_whose_digests_were_compared_before_still_needs_its_length() {
        let (mut bytes, manifest, _) = example(40);
        manifest.check_file_length(&bytes[..]).unwrap();
        bytes[7] ^= 1;
        manifest.check_file_length(&bytes[..]).unwrap();
        assert!(matches!(
            manifest.check_file(&bytes[..]),
            Err(PackageError::Digest { file, .. }) if file == manifest.shards[0].path
        ));
        bytes.push(0);
        for checked in [manifest.check_file_length(&bytes[..]), manifest.check_file(&bytes[..])] {
            assert!(matches!(checked, Err(PackageError::Length { expected: 100, found: 101, .. })));
        }
    }

    #[test]
    fn the_only_shard_has_the_digest_of_the_whole() {
        let (_, mut manifest, _) = example(100);
        manifest.sha256 = digest(b"something else");
        let json = serde_json::to_vec(&manifest).unwrap();
        assert!(matches!(
            Manifest::from_json(&json),
            Err(PackageError::Digest { file, .. }) if file == MODEL_FILE
        ));
    }

    #[test]
    fn a_manifest_without_the_shared_digest_is_read_and_one_with_nonsense_is_not() {
        let (_, mut manifest, _) = example(40);
        assert_eq!(Manifest::from_json(&manifest.to_json().unwrap()).unwrap(), manifest);
        manifest.shared_sha256 = Some(digest(b"shared"));
        assert_eq!(Manifest::from_json(&manifest.to_json().unwrap()).unwrap(), manifest);
        let error = refused(|manifest| manifest.shared_sha256 = Some("none".into()));
        assert!(matches!(&error, PackageError::Field { field, .. } if field == "shared_sha256"));
    }

    #[test]
    fn shards_are_named_by_their_place() {
        let (_, manifest, _) = example(40);
        let paths: Vec<_> = manifest.shards.iter().map(|shard| &*shard.path).collect();
        let expected = [1, 2, 3].map(|i| format!("model-{i:05}-of-00003.safetensors-part"));
        assert_eq!(paths, expected);
        let (_, manifest, _) = example(100);
        assert_eq!(manifest.shards[0].path, MODEL_FILE);
        assert_eq!(manifest.shards[0].sha256, manifest.sha256);
    }

    #[test]
    fn a_shard_cut_short_is_refused_by_name_and_length() {
        let (_, manifest, mut shards) = example(40);
        shards[1].pop();
        match manifest.join(shards.clone()).unwrap_err() {
            PackageError::Length { file, expected, found } => {
                assert_eq!((expected, found), (40, 39));
                assert_eq!(file, manifest.shards[1].path);
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused() {
        let (_, manifest, shards) = example(40);
        for (index, shard) in shards.iter().enumerate() {
            for place in 0..shard.len() {
                let mut changed = shards.clone();
                changed[index][place] ^= 1;
                let error = manifest.join(changed).unwrap_err();
                assert!(matches!(&error, PackageError::Digest { file, .. }
                    if *file == manifest.shards[index].path));
            }
        }
    }

    #[test]
    fn shards_in_another_order_or_number_are_refused() {
        let (_, manifest, mut shards) = example(50);
        assert!(matches!(
            manifest.join(shards[..1].to_vec()),
            Err(PackageError::ShardCount { expected: 2, found: 1, .. })
        ));
        assert!(matches!(manifest.check_shard(2, &[]), Err(PackageError::ShardCount { .. })));
        shards.swap(0, 1);
        assert!(matches!(manifest.join(shards.clone()), Err(PackageError::Digest { .. })));
    }

    #[test]
    fn a_wrong_digest_of_the_whole_is_refused() {
        let (_, mut manifest, shards) = example(40);
        manifest.sha256 = digest(b"something else");
        assert!(matches!(manifest.join(shards.clone()),
            Err(PackageError::Digest { file, .. }) if file == MODEL_FILE));
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        let long = "a".repeat(300);
        for path in [
            "../x",
            "..",
            ".",
            "",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "C:x",
            "C:\\x",
            "a..b",
            ".hidden",
            "%2e%2e%2fx",
            "https://x",
            "x?y",
            "x#y",
            "a b",
            "a\0b",
            "ä",
            "-rf",
            "manifest.json",
            "Manifest.JSON",
            &long,
        ] {
            let error = refused(|m| m.shards[0].path = path.into());
            assert!(matches!(error, PackageError::UnsafePath { .. }), "{path}: {error}");
            let error = refused(|m| m.file = path.into());
            assert!(matches!(error, PackageError::UnsafePath { .. }), "{path}: {error}");
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        assert!(matches!(refused(|m| m.length += 1), PackageError::Field { .. }));
        assert!(matches!(refused(|m| m.shards[0].length = 0), PackageError::Field { .. }));
        assert!(matches!(refused(|m| m.shards[0].length = u64::MAX), PackageError::Field { .. }));
        assert!(matches!(refused(|m| m.shards.clear()), PackageError::Field { .. }));
        assert!(matches!(refused(|m| m.length = u64::MAX), PackageError::Limit { .. }));
        let none = refused(|m| {
            m.length = 0;
            m.shards.clear();
        });
        assert!(matches!(none, PackageError::Field { .. }));
    }

    #[test]
    fn shards_of_one_name_and_digests_that_are_none_are_refused() {
        let twice = refused(|m| m.shards[1].path = m.shards[0].path.to_uppercase());
        assert!(matches!(twice, PackageError::Duplicate { .. }));
        assert!(matches!(refused(|m| m.sha256 = "0".repeat(63)), PackageError::Field { .. }));
        assert!(matches!(refused(|m| m.shards[2].sha256.clear()), PackageError::Field { .. }));
        let many = refused(|m| m.shards = vec![m.shards[0].clone(); MAX_SHARDS + 1]);
        assert!(matches!(many, PackageError::Limit { .. }));
        assert!(matches!(refused(|m| m.notice.clear()), PackageError::Field { .. }));
        assert!(matches!(refused(|m| m.name.clear()), PackageError::Field { .. }));
    }

    #[test]
    fn other_versions_and_other_json_are_refused() {
        assert!(matches!(refused(|m| m.format_version = 9), PackageError::Version { .. }));
        let future = br#"{"format_version": 2, "pieces": []}"#;
        assert!(matches!(Manifest::from_json(future), Err(PackageError::Version { .. })));
        for json in ["", "null", "[]", "{}", "{\"format_version\":1}", "{\"format_version\":-1}"] {
            assert!(matches!(Manifest::from_json(json.as_bytes()), Err(PackageError::Json { .. })));
        }
        let large = vec![b' '; MAX_MANIFEST_BYTES as usize + 1];
        assert!(matches!(Manifest::from_json(&large), Err(PackageError::Limit { .. })));
    }

    #[test]
    fn damaged_manifests_never_panic() {
        let (_, manifest, _) = example(40);
        let json = manifest.to_json().unwrap();
        for part in 0..50 {
            Manifest::from_json(&json[..json.len() * part / 50]).unwrap_err();
        }
        for place in 0..json.len() {
            let mut changed = json.clone();
            changed[place] ^= 0x11;
            let _ = Manifest::from_json(&changed);
        }
    }
}

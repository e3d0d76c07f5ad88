//! Packages in folders: `manifest.json` and the shards beside it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use crate::container::Package;
use crate::error::PackageError;
use crate::limits::{MAX_MANIFEST_BYTES, MAX_SHARD_BYTES};
use crate::manifest::{Manifest, split};

/// Name of the manifest in a package's folder.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Reads the package in the folder `path`, checking every length and digest.
///
/// # Errors
///
/// When a file cannot be read, is not the one that the manifest lists, or holds no package.
pub fn read_dir(path: impl AsRef<Path>) -> Result<Package, PackageError> {
    let folder = path.as_ref();
    let manifest = read_manifest(folder)?;
    let shards = manifest
        .shards
        .iter()
        // One byte more than listed is enough to see that a file is too long.
        .map(|shard| read_at_most(&folder.join(&shard.path), shard.length.saturating_add(1)))
        .collect::<Result<Vec<_>, _>>()?;
    let package = Package::from_bytes(&manifest.join(shards)?)?;
    // Browsers take this one at its word.
    if let Some(expected) = manifest.shared_sha256 {
        let found = package.shared_digest();
        if found != expected {
            let file = format!("{MANIFEST_FILE}: shared_sha256, of the weights that tasks share");
            return Err(PackageError::Digest { file, expected, found });
        }
    }
    Ok(package)
}

/// Writes `package` into the folder `path`, which is made where it is missing.
///
/// Each file is written under another name and renamed when it is whole. The manifest comes last,
/// so a folder whose writing was interrupted does not pass for a package. Shards of a package
/// that was there before and are no longer listed are removed.
///
/// # Errors
///
/// When the package contradicts itself or a file cannot be written.
pub fn write_dir(path: impl AsRef<Path>, package: &Package) -> Result<(), PackageError> {
    let folder = path.as_ref();
    let bytes = package.to_bytes()?;
    let (mut manifest, shards) = split(&package.metadata.name, &bytes, MAX_SHARD_BYTES);
    manifest.shared_sha256 = Some(package.shared_digest());
    let json = manifest.to_json()?;
    fs::create_dir_all(folder).map_err(io(folder, "making the folder"))?;
    let before = read_manifest(folder).ok();
    for (name, part) in shards {
        write_whole(folder, &name, part)?;
    }
    write_whole(folder, MANIFEST_FILE, &json)?;

    let listed: HashSet<_> = manifest.shards.iter().map(|shard| &shard.path).collect();
    for old in before.iter().flat_map(|manifest| &manifest.shards) {
        if !listed.contains(&old.path) {
            // The package is complete; a leftover that cannot be removed does not spoil it.
            let _ = fs::remove_file(folder.join(&old.path));
        }
    }
    Ok(())
}

fn read_manifest(folder: &Path) -> Result<Manifest, PackageError> {
    let json = read_at_most(&folder.join(MANIFEST_FILE), MAX_MANIFEST_BYTES.saturating_add(1))?;
    Manifest::from_json(&json)
}

/// The first `limit` bytes of a file: what a file claims to be long is not what is allocated.
fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, PackageError> {
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(io(path, "opening"))?
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(io(path, "reading"))?;
    Ok(bytes)
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), PackageError> {
    let path = folder.join(name);
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    });
    written.map_err(|source| {
        let _ = fs::remove_file(&temporary);
        io(&path, "writing")(source)
    })
}

fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> PackageError {
    let path = path.display().to_string();
    move |source| PackageError::Io { path, action, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::MODEL_FILE;
    use crate::metadata::FORMAT_VERSION;
    use crate::tensor::PackedTensor;
    use crate::testing::package;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_comes_back_as_it_was_written_and_holds_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper").join("medley-test");
        write_dir(&path, &package()).unwrap();
        assert_eq!(read_dir(&path).unwrap(), package());
        assert_eq!(names(&path), [MANIFEST_FILE, MODEL_FILE]);
    }

    #[test]
    fn a_large_package_is_written_in_shards_and_a_smaller_one_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut large = package();
        let count = MAX_SHARD_BYTES as usize / 4 + 1;
        let tensor = PackedTensor::Float { shape: vec![count], data: vec![0.5; count] };
        large.tensors.insert("large".into(), tensor);
        write_dir(folder.path(), &large).unwrap();
        let parts = [1, 2].map(|i| format!("model-{i:05}-of-00002.safetensors-part"));
        assert_eq!(names(folder.path()), [MANIFEST_FILE, &parts[0], &parts[1]]);
        assert!(read_dir(folder.path()).unwrap() == large);

        write_dir(folder.path(), &package()).unwrap();
        assert_eq!(names(folder.path()), [MANIFEST_FILE, MODEL_FILE]);
        assert_eq!(read_dir(folder.path()).unwrap(), package());
    }

    #[test]
    fn damaged_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        write_dir(folder.path(), &package()).unwrap();
        let file = folder.path().join(MODEL_FILE);
        let good = fs::read(&file).unwrap();

        fs::write(&file, &good[..good.len() - 1]).unwrap();
        let error = read_dir(folder.path()).unwrap_err();
        assert!(matches!(&error, PackageError::Length { file, .. } if file == MODEL_FILE));

        fs::write(&file, [&good[..], &[0; 100]].concat()).unwrap();
        let error = read_dir(folder.path()).unwrap_err();
        assert!(matches!(error, PackageError::Length { .. }), "{error}");

        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 0x40;
        fs::write(&file, &flipped).unwrap();
        let error = read_dir(folder.path()).unwrap_err();
        assert!(matches!(&error, PackageError::Digest { file, .. } if file == MODEL_FILE));

        fs::remove_file(&file).unwrap();
        let error = read_dir(folder.path()).unwrap_err();
        assert!(error.to_string().contains(MODEL_FILE), "{error}");
        assert!(matches!(error, PackageError::Io { .. }), "{error}");
    }

    #[test]
    fn the_digest_of_the_shared_weights_is_written_and_compared() {
        let folder = tempfile::tempdir().unwrap();
        write_dir(folder.path(), &package()).unwrap();
        let path = folder.path().join(MANIFEST_FILE);
        let mut manifest = Manifest::from_json(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(manifest.shared_sha256, Some(package().shared_digest()));

        manifest.shared_sha256 = Some(manifest.sha256.clone());
        fs::write(&path, manifest.to_json().unwrap()).unwrap();
        let error = read_dir(folder.path()).unwrap_err();
        assert!(matches!(&error, PackageError::Digest { file, .. } if file.contains("shared")));

        manifest.shared_sha256 = None;
        fs::write(&path, manifest.to_json().unwrap()).unwrap();
        assert_eq!(read_dir(folder.path()).unwrap(), package());
    }

    #[test]
    fn a_manifest_cannot_make_the_reader_leave_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("model");
        write_dir(&folder, &package()).unwrap();
        // The file outside is the right one in length and digest: only the path is wrong.
        fs::rename(folder.join(MODEL_FILE), outer.path().join("x")).unwrap();
        let manifest = folder.join(MANIFEST_FILE);
        let json = fs::read_to_string(&manifest).unwrap();
        let path = format!("\"path\": \"{MODEL_FILE}\"");
        assert!(json.contains(&path));
        fs::write(&manifest, json.replace(&path, "\"path\": \"../x\"")).unwrap();
        let error = read_dir(&folder).unwrap_err();
        assert!(matches!(&error, PackageError::UnsafePath { path, .. } if path == "../x"));
    }

    #[test]
    fn folders_without_a_manifest_or_with_a_newer_one_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read_dir(folder.path()), Err(PackageError::Io { .. })));
        assert!(matches!(read_dir(folder.path().join("none")), Err(PackageError::Io { .. })));
        let newer = format!("{{\"format_version\": {}}}", FORMAT_VERSION + 1);
        fs::write(folder.path().join(MANIFEST_FILE), newer).unwrap();
        assert!(matches!(read_dir(folder.path()), Err(PackageError::Version { .. })));
    }

    #[test]
    fn a_package_that_contradicts_itself_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut wrong = package();
        wrong.metadata.quality[0].value = f64::NAN;
        write_dir(folder.path().join("model"), &wrong).unwrap_err();
        assert!(names(folder.path()).is_empty());
    }
}

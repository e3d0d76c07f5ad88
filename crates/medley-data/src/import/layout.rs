//! Files of a source: splits by the names of folders, pictures, and what belongs to them by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::error::ImportError;
use crate::records::Split;

/// The endings of files that are taken for pictures where other files lie beside them.
const PICTURES: [&str; 3] = ["png", "jpg", "jpeg"];

/// The split that a folder or list of that name holds.
pub(crate) fn split_of(name: &str) -> Option<Split> {
    match name.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" => Some(Split::Val),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// A folder that holds a split, or the whole source if that has no such folders.
pub(crate) struct Root {
    pub(crate) split: Option<Split>,
    pub(crate) folder: PathBuf,
}

/// The folders of the splits below a folder, else the folder itself.
pub(crate) fn roots(folder: &Path) -> Result<Vec<Root>, ImportError> {
    let splits: Vec<Root> = folders(folder)?
        .into_iter()
        .filter_map(|folder| Some(Root { split: Some(split_of(&last(&folder))?), folder }))
        .collect();
    if splits.is_empty() {
        return Ok(vec![Root { split: None, folder: folder.to_path_buf() }]);
    }
    Ok(splits)
}

/// The visible folders in a folder, by name.
pub(crate) fn folders(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    entries(folder, 1, |entry| entry.file_type().is_dir())
}

/// All visible files below a folder, by path.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    entries(folder, usize::MAX, |entry| entry.file_type().is_file())
}

/// The visible files in a folder and not below it, by name.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    entries(folder, 1, |entry| entry.file_type().is_file())
}

fn entries(
    folder: &Path,
    depth: usize,
    wanted: impl Fn(&DirEntry) -> bool,
) -> Result<Vec<PathBuf>, ImportError> {
    if !folder.is_dir() {
        let found = if folder.exists() { "found a file" } else { "it is not there" };
        let reason = format!("expected a folder, {found}");
        return Err(ImportError::Source { path: folder.to_path_buf(), reason });
    }
    // What an operating system or editor leaves behind starts with a dot.
    let visible = |entry: &DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
    WalkDir::new(folder)
        .min_depth(1)
        .max_depth(depth)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(visible)
        .filter(|entry| entry.as_ref().map_or(true, &wanted))
        .map(|entry| entry.map(DirEntry::into_path))
        .collect::<Result<_, _>>()
        .map_err(|error| ImportError::Source {
            path: error.path().unwrap_or(folder).to_path_buf(),
            reason: error.to_string(),
        })
}

/// The last part of a path.
pub(crate) fn last(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path below a folder, with `/` between its parts.
pub(crate) fn below(folder: &Path, path: &Path) -> String {
    let rest = path.strip_prefix(folder).unwrap_or(path);
    rest.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Whether the name ends as that of a picture.
pub(crate) fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| PICTURES.contains(&ending.as_str()))
}

/// A picture, and the file of the same name that answers it, if there is one.
pub(crate) struct Pair {
    pub(crate) split: Option<Split>,
    pub(crate) picture: PathBuf,
    pub(crate) partner: Option<PathBuf>,
}

/// What [`pairs`] found.
pub(crate) struct Pairs {
    pub(crate) pairs: Vec<Pair>,
    /// Files that should answer a picture that is not there.
    pub(crate) orphans: Vec<PathBuf>,
}

/// What the files that answer pictures are called.
pub(crate) struct Partners<'a> {
    /// The folder beside `images` in which they lie.
    pub(crate) folder: &'a str,
    /// What follows the picture's name without its ending.
    pub(crate) suffix: &'a str,
    /// The ending by which they are known where they lie beside the pictures; any if none.
    pub(crate) ending: Option<&'a str>,
}

/// Pictures and the files that answer them: in `images` and another folder, in that pair of folders in each
/// split's folder, or side by side.
pub(crate) fn pairs(source: &Path, partners: &Partners<'_>) -> Result<Pairs, ImportError> {
    let mut found = Pairs { pairs: Vec::new(), orphans: Vec::new() };
    let whole = source.join("images");
    let roots = if whole.is_dir() {
        vec![Root { split: None, folder: source.to_path_buf() }]
    } else {
        roots(source)?
    };
    for Root { split, folder } in roots {
        let (images, others) = (folder.join("images"), folder.join(partners.folder));
        if images.is_dir() && others.is_dir() {
            let pictures = files(&images)?;
            found.add(split, (&images, pictures), (&others, files(&others)?), partners.suffix);
            continue;
        }
        if partners.suffix.is_empty() && partners.ending.is_none() {
            let reason = format!(
                "expected the folders images and {}, or files side by side that differ by --mask-suffix",
                partners.folder
            );
            return Err(ImportError::Source { path: folder, reason });
        }
        let (others, pictures): (Vec<_>, Vec<_>) =
            files(&folder)?.into_iter().partition(|path| partners.is_one(path));
        let pictures = pictures.into_iter().filter(|path| is_picture(path)).collect();
        found.add(split, (&folder, pictures), (&folder, others), partners.suffix);
    }
    Ok(found)
}

impl Partners<'_> {
    /// Whether a file that lies beside pictures is one of these.
    fn is_one(&self, path: &Path) -> bool {
        let ending = |wanted| path.extension().is_some_and(|ending| ending == wanted);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        stem.ends_with(self.suffix) && self.ending.is_none_or(ending)
    }
}

impl Pairs {
    /// Joins two lists of files, each with the folder that it lies below.
    fn add(
        &mut self,
        split: Option<Split>,
        (images, pictures): (&Path, Vec<PathBuf>),
        (others, partners): (&Path, Vec<PathBuf>),
        suffix: &str,
    ) {
        let mut by_name: BTreeMap<String, PathBuf> =
            partners.into_iter().map(|path| (stem(others, &path), path)).collect();
        for picture in pictures {
            let name = stem(images, &picture);
            // `images/train/a.png`: the first folder below says the split.
            let inner = name.split_once('/').and_then(|(first, _)| split_of(first));
            let partner = by_name.remove(&format!("{name}{suffix}"));
            self.pairs.push(Pair { split: split.or(inner), picture, partner });
        }
        self.orphans.extend(by_name.into_values());
    }
}

/// A path below a folder without its ending.
fn stem(folder: &Path, path: &Path) -> String {
    below(folder, &path.with_extension(""))
}

/// The text of a file.
pub(crate) fn text(path: &Path) -> Result<String, ImportError> {
    fs::read_to_string(path).map_err(|error| ImportError::Source {
        path: path.to_path_buf(),
        reason: format!("cannot be read: {error}"),
    })
}

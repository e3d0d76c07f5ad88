//! What is to be imported, from where and how.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use regex::Regex;

use crate::database::Role;

use super::error::{FaultReason, ImportError};

/// The format of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A folder of pictures for each class.
    Folders,
    /// Pictures, and for each a mask of its name.
    Masks,
    /// Boxes of COCO JSON. Its polygons and run lengths are not read.
    Coco,
    /// Boxes of Pascal VOC XML.
    Voc,
    /// Boxes of YOLO text files.
    Yolo,
    /// Classes of a MedMNIST `.npz` of two-dimensional pictures.
    Medmnist,
}

impl Format {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Folders, Self::Masks, Self::Coco, Self::Voc, Self::Yolo, Self::Medmnist];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Folders => "folders",
            Self::Masks => "masks",
            Self::Coco => "coco",
            Self::Voc => "voc",
            Self::Yolo => "yolo",
            Self::Medmnist => "medmnist",
        }
    }
}

/// What a value of a mask means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaskValues {
    /// [`Self::Binary`] if there are two classes and no mask of the source holds anything but 0 and 255, else
    /// [`Self::Index`].
    #[default]
    Auto,
    /// The number of a class; 255 is "ignore".
    Index,
    /// 0 is class 0, 255 is class 1.
    Binary,
}

/// Which pictures belong together, and hence into one split.
#[derive(Debug, Clone, Default)]
pub enum Grouping {
    /// Every picture is a group of its own.
    #[default]
    Picture,
    /// The first capture group of a regular expression over the picture's file name.
    FileName(Regex),
    /// The folder in which the picture lies, by its name.
    Folder,
}

impl Grouping {
    /// By a regular expression over the file name; its first capture group is the group.
    ///
    /// # Errors
    ///
    /// [`ImportError::Options`] for an expression that is none, or has no capture group.
    pub fn by_file_name(rule: &str) -> Result<Self, ImportError> {
        let regex = Regex::new(rule)
            .map_err(|error| ImportError::Options(format!("--group-regex: {error}")))?;
        if regex.captures_len() < 2 {
            return Err(ImportError::Options(format!(
                "--group-regex {rule}: expected a capture group, as in ^(patient\\d+)_"
            )));
        }
        Ok(Self::FileName(regex))
    }

    /// The group of a picture, whose path below the source is given with `/` between its parts.
    pub(crate) fn of(&self, path: &str) -> Result<String, FaultReason> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        match self {
            Self::Picture => {
                let end = file.rfind('.').filter(|at| *at > 0).map_or(0, |at| file.len() - at);
                Ok(path[..path.len() - end].to_string())
            }
            Self::FileName(rule) => {
                let found = rule.captures(file).and_then(|captures| captures.get(1));
                let missing =
                    || FaultReason::NoGroup { name: file.to_string(), rule: rule.to_string() };
                found.map(|group| group.as_str().to_string()).ok_or_else(missing)
            }
            Self::Folder => Ok(folder.rsplit('/').next().unwrap_or_default().to_string()),
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Picture => f.write_str("image"),
            Self::FileName(rule) => write!(f, "file name by {rule}"),
            Self::Folder => f.write_str("folder"),
        }
    }
}

/// The shares of training, validation and test; they add up to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares([f64; 3]);

impl Shares {
    /// Shares in percent.
    ///
    /// # Errors
    ///
    /// [`ImportError::Options`] unless none is negative, they add up to 100, and training has some.
    pub fn percent(shares: [f64; 3]) -> Result<Self, ImportError> {
        let sum: f64 = shares.iter().sum();
        // Written with a few decimals, as 33.33,33.33,33.34.
        let fits = shares.iter().all(|share| *share >= 0.0) && (sum - 100.0).abs() < 0.01;
        if !fits || shares[0] == 0.0 {
            return Err(ImportError::Options(format!(
                "the shares are {shares:?}: expected percent of training, validation and test, 100 in all and \
                 some for training"
            )));
        }
        Ok(Self(shares.map(|share| share / sum)))
    }

    /// Training, validation, test; 0 to 1.
    pub(crate) fn values(self) -> [f64; 3] {
        self.0
    }
}

impl Default for Shares {
    /// 70, 15 and 15 percent.
    fn default() -> Self {
        Self([0.7, 0.15, 0.15])
    }
}

impl FromStr for Shares {
    type Err = ImportError;

    fn from_str(text: &str) -> Result<Self, ImportError> {
        let values: Result<Vec<f64>, _> =
            text.split(',').map(|part| part.trim().parse::<f64>()).collect();
        match values.as_deref() {
            Ok(&[train, val, test]) => Self::percent([train, val, test]),
            _ => Err(ImportError::Options(format!(
                "{text:?}: expected three numbers, percent of training, validation and test, as 70,15,15"
            ))),
        }
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, val, test] = self.0.map(|share| (share * 1e4).round() / 1e2);
        write!(f, "{train},{val},{test}")
    }
}

/// An import, with all that the source does not say itself.
#[derive(Debug, Clone)]
pub struct ImportPlan {
    /// The format of the source.
    pub format: Format,
    /// Its file or folder.
    pub source: PathBuf,
    /// The folder of the task database, which need not be there yet.
    pub database: PathBuf,
    /// The name of the data set, and of its folder.
    pub name: String,
    /// The name of the task.
    pub task: String,
    /// What the task is there for.
    pub role: Role,
    /// The kind of image, in words.
    pub modality: String,
    /// The part of the body, in words.
    pub body: String,
    /// The licence.
    pub licence: String,
    /// Whom to name.
    pub attribution: String,
    /// The classes in the order of their numbers, where the source has no names or another order.
    pub classes: Option<Vec<String>>,
    /// What belongs together.
    pub grouping: Grouping,
    /// Draws the splits even where the source has some; where it has none they are drawn anyway.
    pub shares: Option<Shares>,
    /// Decides the draw of the splits.
    pub seed: u64,
    /// What follows the picture's name in the name of its mask, as `_mask`.
    pub mask_suffix: String,
    /// What the values of masks mean.
    pub mask_values: MaskValues,
    /// The folder of the pictures that a COCO file names, if it is not beside the file.
    pub images: Option<PathBuf>,
    /// Encodes every picture anew as PNG, which leaves out what its file says beside its pixels.
    pub png: bool,
    /// Leaves bad records out in place of failing.
    pub skip_bad: bool,
    /// Replaces a data set of that name, with all its tasks.
    pub force: bool,
}

impl ImportPlan {
    /// With what has to be said; everything else as the command line has it.
    pub fn new(format: Format, source: &Path, database: &Path, name: &str) -> Self {
        Self {
            format,
            source: source.to_path_buf(),
            database: database.to_path_buf(),
            name: name.to_string(),
            task: name.to_string(),
            role: Role::Target,
            modality: String::new(),
            body: String::new(),
            licence: String::new(),
            attribution: String::new(),
            classes: None,
            grouping: Grouping::default(),
            shares: None,
            seed: 0,
            mask_suffix: String::new(),
            mask_values: MaskValues::default(),
            images: None,
            png: false,
            skip_bad: false,
            force: false,
        }
    }

    /// Where the data set goes.
    pub fn target(&self) -> PathBuf {
        self.database.join(&self.name)
    }

    /// Names and places that can be used.
    pub(crate) fn check(&self) -> Result<(), ImportError> {
        let parts: Vec<Component<'_>> = Path::new(&self.name).components().collect();
        let plain = matches!(parts[..], [Component::Normal(part)] if part == self.name.as_str());
        // `tasks.json` lies beside the data sets, and hidden folders are what an import that was killed leaves.
        if !plain || self.name.starts_with('.') || self.name == "tasks.json" {
            return Err(ImportError::Options(format!(
                "the name {:?} cannot be a folder of the database; use letters, digits and hyphens",
                self.name
            )));
        }
        if self.task.is_empty() {
            return Err(ImportError::Options("the task has no name".to_string()));
        }
        if let (Ok(source), Ok(target)) = (self.source.canonicalize(), self.target().canonicalize())
            && source.starts_with(target)
        {
            let (source, name) = (self.source.display(), &self.name);
            return Err(ImportError::Options(format!(
                "the source {source} lies in the data set {name:?} that would be written"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_the_rule() {
        let name = "test/sick/p1/p1_scan.2.png";
        assert_eq!(Grouping::Picture.of(name).unwrap(), "test/sick/p1/p1_scan.2");
        assert_eq!(Grouping::Picture.of("train_7").unwrap(), "train_7");
        assert_eq!(Grouping::Folder.of(name).unwrap(), "p1");
        let rule = Grouping::by_file_name(r"^(p\d+)_").unwrap();
        assert_eq!(rule.of(name).unwrap(), "p1");
        assert!(matches!(rule.of("p1_/scan.png"), Err(FaultReason::NoGroup { .. })));
        assert!(Grouping::by_file_name(r"^p\d+_").is_err());
        assert!(Grouping::by_file_name("(").is_err());
    }

    #[test]
    fn shares_are_percent_and_add_up() {
        assert_eq!("70,15,15".parse::<Shares>().unwrap(), Shares::default());
        assert_eq!("80, 0, 20".parse::<Shares>().unwrap().to_string(), "80,0,20");
        for text in ["70,15", "70,15,16", "0,50,50", "120,-10,-10", "a,b,c", "NaN,50,50"] {
            assert!(text.parse::<Shares>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_name_is_one_folder_of_the_database() {
        let place = tempfile::tempdir().unwrap();
        let plan = |name| ImportPlan::new(Format::Folders, place.path(), Path::new("db"), name);
        assert!(plan("my-cells_2").check().is_ok());
        for name in ["", ".", "..", "a/b", "/a", "a/", ".a", "tasks.json"] {
            assert!(matches!(plan(name).check(), Err(ImportError::Options(_))), "{name}");
        }
    }
}

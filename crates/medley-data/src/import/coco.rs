//! Boxes of COCO JSON. Polygons and run lengths (`segmentation`) are not read.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

use medley_package::TaskKind;
use serde::Deserialize;

use super::class_of;
use super::error::{Fault, FaultReason, ImportError, SourcePlace};
use super::item::{Answer, Item, Pixels};
use super::layout::{below, files_in, last, roots, split_of, text};
use super::sink::Sink;
use crate::records::Split;

#[derive(Deserialize)]
struct Coco {
    images: Vec<CocoImage>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct CocoImage {
    id: i64,
    file_name: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct Annotation {
    id: Option<i64>,
    image_id: i64,
    category_id: i64,
    bbox: Option<Vec<f64>>,
    #[serde(default)]
    iscrowd: i64,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

/// One file of the source.
struct Part {
    split: Option<Split>,
    file: PathBuf,
    coco: Coco,
}

/// Reads it: one JSON file, or a folder with one for each split, in the split's folder or in `annotations`. The
/// classes are in the order of the plan, else of the categories' ids.
pub(super) fn read(sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let source = sink.plan.source.clone();
    let mut parts = Vec::new();
    for (split, file) in annotation_files(&source)? {
        let coco = serde_json::from_str(&text(&file)?).map_err(|error| ImportError::Source {
            path: file.clone(),
            reason: format!("not COCO JSON: {error}"),
        })?;
        parts.push(Part { split, file, coco });
    }
    let classes = sink.plan.classes.clone().unwrap_or_else(|| category_names(&parts));
    let total = parts.iter().map(|part| part.coco.images.len()).sum();
    sink.begin(TaskKind::Detection, classes.clone(), total)?;
    for part in &parts {
        part.give(sink, &source, &classes)?;
    }
    Ok(())
}

/// The JSON files of a source with their splits.
fn annotation_files(source: &Path) -> Result<Vec<(Option<Split>, PathBuf)>, ImportError> {
    if source.is_file() {
        return Ok(vec![(None, source.to_path_buf())]);
    }
    let json = |folder: &Path| -> Result<Vec<PathBuf>, ImportError> {
        let is_json = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
        Ok(files_in(folder)?.into_iter().filter(is_json).collect())
    };
    let mut found = Vec::new();
    for root in roots(source)? {
        let Some(split) = root.split else { continue };
        found.extend(json(&root.folder)?.into_iter().map(|file| (Some(split), file)));
    }
    if found.is_empty() && source.join("annotations").is_dir() {
        for file in json(&source.join("annotations"))? {
            // `instances_train2017.json`
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let words = stem.split(|c: char| !c.is_alphabetic());
            if let Some(split) = { words }.find_map(split_of) {
                found.push((Some(split), file));
            }
        }
    }
    if found.is_empty() {
        let reason =
            "expected a COCO JSON file, or a folder with train/NAME.json and the like, or with \
                      annotations/NAME_train.json and the like"
                .to_string();
        return Err(ImportError::Source { path: source.to_path_buf(), reason });
    }
    Ok(found)
}

/// The names of the categories, by their ids; those of later files after those of earlier ones.
fn category_names(parts: &[Part]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        let by_id: BTreeMap<i64, &String> =
            part.coco.categories.iter().map(|category| (category.id, &category.name)).collect();
        for name in by_id.into_values() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

impl Part {
    /// Gives every picture of the file with its boxes.
    fn give(
        &self,
        sink: &mut Sink<'_>,
        source: &Path,
        classes: &[String],
    ) -> Result<(), ImportError> {
        let coco = &self.coco;
        let names: HashMap<i64, &str> =
            coco.categories.iter().map(|category| (category.id, category.name.as_str())).collect();
        let mut boxes: HashMap<i64, Vec<&Annotation>> = HashMap::new();
        for annotation in &coco.annotations {
            boxes.entry(annotation.image_id).or_default().push(annotation);
        }
        let folders = self.picture_folders(sink.plan.images.as_deref(), source);
        for image in &coco.images {
            let annotations = boxes.remove(&image.id).unwrap_or_default();
            sink.take(self.item(source, image, &annotations, &names, classes, &folders))?;
        }
        let mut lost: Vec<&Annotation> = boxes.into_values().flatten().collect();
        lost.sort_by_key(|annotation| annotation.id);
        for annotation in lost {
            let picture = format!("of id {}", annotation.image_id);
            sink.refuse(self.place(annotation).fault(FaultReason::NoPicture(picture)));
        }
        Ok(())
    }

    fn place(&self, annotation: &Annotation) -> SourcePlace {
        let id = annotation.id.map_or("without id".to_string(), |id| id.to_string());
        SourcePlace::part(&self.file, format!("annotation {id}"))
    }

    fn item(
        &self,
        source: &Path,
        image: &CocoImage,
        annotations: &[&Annotation],
        names: &HashMap<i64, &str>,
        classes: &[String],
        folders: &[PathBuf],
    ) -> Result<Item, Fault> {
        let place = SourcePlace::part(&self.file, format!("image {}", image.id));
        let Some(picture) = find(folders, &image.file_name) else {
            return Err(place.fault(FaultReason::NoPicture(image.file_name.clone())));
        };
        let boxes = annotations
            .iter()
            .map(|annotation| {
                annotation
                    .corners(names, classes)
                    .map_err(|reason| self.place(annotation).fault(reason))
            })
            .collect::<Result<_, _>>()?;
        Ok(Item {
            place,
            path: below(source, &picture),
            split: self.split,
            pixels: Pixels::File(picture),
            stated: image.width.zip(image.height),
            answer: Answer::Boxes(boxes),
        })
    }

    /// Where the pictures of this file may lie, the likeliest first.
    fn picture_folders(&self, given: Option<&Path>, source: &Path) -> Vec<PathBuf> {
        if let Some(folder) = given {
            return vec![folder.to_path_buf()];
        }
        let beside = self.file.parent().unwrap_or(Path::new("."));
        let mut folders = vec![beside.to_path_buf(), beside.join("images")];
        if source.is_dir() {
            folders.extend([source.join("images"), source.to_path_buf()]);
            // `annotations/instances_train2017.json` and `train2017/`, `images/train2017/`.
            let stem = self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            for parent in [source.join("images"), source.to_path_buf()] {
                let inner = fs::read_dir(parent).into_iter().flatten().flatten();
                let mut fitting: Vec<PathBuf> = inner
                    .map(|entry| entry.path())
                    .filter(|path| path.is_dir() && stem.ends_with(&last(path)))
                    .collect();
                fitting.sort();
                folders.extend(fitting);
            }
        }
        folders
    }
}

impl Annotation {
    /// `[x0, y0, x1, y1]` and the class.
    fn corners(
        &self,
        names: &HashMap<i64, &str>,
        classes: &[String],
    ) -> Result<([f64; 4], usize), FaultReason> {
        let syntax = |text: String| Err(FaultReason::Syntax(text));
        if self.iscrowd != 0 {
            return syntax("it marks a crowd (iscrowd), which is no box around one thing".into());
        }
        let Some(name) = names.get(&self.category_id) else {
            return syntax(format!("no category has the id {}", self.category_id));
        };
        let class = class_of(name, classes)?;
        match self.bbox.as_deref() {
            Some(&[x, y, width, height]) => Ok(([x, y, x + width, y + height], class)),
            found => syntax(format!("bbox is {found:?}; expected [x, y, width, height]")),
        }
    }
}

/// The file of that name below the first folder that has it; never one outside.
fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let mut places = folders.iter().map(|folder| folder.join(name));
    places.find(|path| inside && !name.is_empty() && path.is_file())
}

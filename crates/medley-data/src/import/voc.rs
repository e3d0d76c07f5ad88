//! Boxes of Pascal VOC XML.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use medley_package::TaskKind;
use roxmltree::{Document, Node};

use super::class_of;
use super::error::{Fault, FaultReason, ImportError, SourcePlace};
use super::item::{Answer, Item, Pixels};
use super::layout::{below, files, files_in, is_picture, last, roots, text};
use super::sink::Sink;
use crate::records::Split;

/// An XML file, read.
struct Annotation {
    split: Option<Split>,
    file: PathBuf,
    picture: Option<String>,
    stated: Option<(u32, u32)>,
    objects: Vec<Object>,
}

struct Object {
    /// Its line in the file, from 1.
    line: u32,
    name: String,
    /// `xmin`, `ymin`, `xmax`, `ymax` as they are written: pixels from 1, the last one included.
    corners: [f64; 4],
}

/// Reads it: `Annotations` and `JPEGImages` with the splits in `ImageSets/Main`, or XML files beside their pictures,
/// in a folder for each split or in one. The classes are in the order of the plan, else of their names.
pub(super) fn read(sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let source = sink.plan.source.clone();
    let classic = source.join("Annotations");
    let mut pictures = Vec::new();
    let mut read = Vec::new();
    if classic.is_dir() {
        let lists = image_sets(&source)?;
        for file in files(&classic)? {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            read.push(Annotation::read(lists.get(&stem).copied(), file));
        }
        for folder in ["JPEGImages", "images"].map(|name| source.join(name)) {
            if folder.is_dir() {
                pictures.extend(files(&folder)?);
            }
        }
    } else {
        for root in roots(&source)? {
            let (xml, others): (Vec<_>, Vec<_>) =
                files(&root.folder)?.into_iter().partition(|path| is_xml(path));
            for file in xml {
                read.push(Annotation::read(root.split, file));
            }
            pictures.extend(others);
        }
    }
    pictures.retain(|path| is_picture(path));
    if read.is_empty() {
        let reason = "expected XML files in Annotations, or beside their pictures".to_string();
        return Err(ImportError::Source { path: source, reason });
    }
    let names: BTreeSet<&String> =
        read.iter().flatten().flat_map(|one| &one.objects).map(|object| &object.name).collect();
    let classes = sink.plan.classes.clone().unwrap_or_else(|| names.into_iter().cloned().collect());
    sink.begin(TaskKind::Detection, classes.clone(), read.len())?;
    let mut shelf = Shelf::new(&pictures);
    for annotation in read {
        let item = annotation.and_then(|one| one.item(&source, &classes, &mut shelf));
        sink.take(item)?;
    }
    for picture in shelf.unused(pictures) {
        sink.refuse(SourcePlace::file(picture).fault(FaultReason::NoAnswer("annotation")));
    }
    Ok(())
}

fn is_xml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
}

/// The splits of `ImageSets/Main/{train,val,test}.txt`: a name without ending on each line.
fn image_sets(source: &Path) -> Result<HashMap<String, Split>, ImportError> {
    let folder = source.join("ImageSets").join("Main");
    let mut splits = HashMap::new();
    if !folder.is_dir() {
        return Ok(splits);
    }
    for file in files_in(&folder)? {
        // Other lists are of one class, or of training and validation together.
        let Some(split) = Split::from_name(&last(&file.with_extension(""))) else { continue };
        for line in text(&file)?.lines() {
            let Some(name) = line.split_whitespace().next() else { continue };
            if let Some(other) = splits.insert(name.to_string(), split).filter(|at| *at != split) {
                let reason = format!("{name} is also in the list of {other}");
                return Err(ImportError::Source { path: file, reason });
            }
        }
    }
    Ok(splits)
}

/// The pictures of the source by folder and name, and which of them are used.
struct Shelf {
    by_name: HashMap<String, Vec<PathBuf>>,
    by_stem: HashMap<String, Vec<PathBuf>>,
    used: BTreeSet<PathBuf>,
}

impl Shelf {
    fn new(pictures: &[PathBuf]) -> Self {
        let mut shelf =
            Self { by_name: HashMap::new(), by_stem: HashMap::new(), used: BTreeSet::new() };
        for path in pictures {
            shelf.by_name.entry(last(path)).or_default().push(path.clone());
            shelf.by_stem.entry(last(&path.with_extension(""))).or_default().push(path.clone());
        }
        shelf
    }

    /// The picture that an annotation file names, else that of its own name; of several the one beside it.
    fn find(&mut self, xml: &Path, named: Option<&str>) -> Option<PathBuf> {
        let stem = last(&xml.with_extension(""));
        let found =
            named.and_then(|name| self.by_name.get(name)).or_else(|| self.by_stem.get(&stem))?;
        let beside = found.iter().find(|path| path.parent() == xml.parent());
        let found = beside.or(found.first())?.clone();
        self.used.insert(found.clone());
        Some(found)
    }

    fn unused(&self, all: Vec<PathBuf>) -> impl Iterator<Item = PathBuf> {
        all.into_iter().filter(|path| !self.used.contains(path))
    }
}

impl Annotation {
    /// Reads a file.
    fn read(split: Option<Split>, file: PathBuf) -> Result<Self, Fault> {
        let text =
            fs::read_to_string(&file).map_err(|error| SourcePlace::file(&file).fault(error))?;
        let document = Document::parse(&text).map_err(|error| {
            let line = format!("line {}", error.pos().row);
            SourcePlace::part(&file, line).fault(FaultReason::Syntax(error.to_string()))
        })?;
        let root = document.root_element();
        let size = child(root, "size");
        let side = |name| -> Option<u32> { content(size?, name)?.parse().ok() };
        // Zero is what some programs write that do not know it.
        let stated = side("width").zip(side("height")).filter(|size| *size != (0, 0));
        let objects = root.children().filter(|node| node.has_tag_name("object"));
        Ok(Self {
            split,
            picture: content(root, "filename").map(|name| last(Path::new(name))),
            stated,
            objects: objects
                .map(|node| object(&document, node, &file))
                .collect::<Result<_, _>>()?,
            file: file.clone(),
        })
    }

    fn item(self, source: &Path, classes: &[String], shelf: &mut Shelf) -> Result<Item, Fault> {
        let place = SourcePlace::file(&self.file);
        let Some(picture) = shelf.find(&self.file, self.picture.as_deref()) else {
            let name = self.picture.unwrap_or_else(|| "of the same name".to_string());
            return Err(place.fault(FaultReason::NoPicture(name)));
        };
        let boxes = self
            .objects
            .iter()
            .map(|object| {
                let [x0, y0, x1, y1] = object.corners;
                // From pixels counted from 1, the last one included, to edges counted from 0.
                class_of(&object.name, classes)
                    .map(|class| ([x0 - 1.0, y0 - 1.0, x1, y1], class))
                    .map_err(|reason| at(&self.file, object.line).fault(reason))
            })
            .collect::<Result<_, _>>()?;
        Ok(Item {
            place,
            path: below(source, &picture),
            split: self.split,
            pixels: Pixels::File(picture),
            stated: self.stated,
            answer: Answer::Boxes(boxes),
        })
    }
}

fn object(document: &Document<'_>, node: Node<'_, '_>, file: &Path) -> Result<Object, Fault> {
    let line = document.text_pos_at(node.range().start).row;
    let syntax = |text: String| at(file, line).fault(FaultReason::Syntax(text));
    let name = content(node, "name").ok_or_else(|| syntax("the object has no name".into()))?;
    let Some(frame) = child(node, "bndbox") else {
        return Err(syntax(format!("{name}: the object has no bndbox")));
    };
    let mut corners = [0.0; 4];
    for (value, side) in corners.iter_mut().zip(["xmin", "ymin", "xmax", "ymax"]) {
        let found = content(frame, side);
        *value = found
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| syntax(format!("{name}: {side} is {found:?}; expected a number")))?;
    }
    Ok(Object { line, name: name.to_string(), corners })
}

fn at(file: &Path, line: u32) -> SourcePlace {
    SourcePlace::part(file, format!("line {line}"))
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The text of a child, if it has any.
fn content<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

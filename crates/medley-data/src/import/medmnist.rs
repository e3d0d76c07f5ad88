//! Classes of a MedMNIST `.npz`: `train_images`, `train_labels` and so on, two-dimensional pictures of 8 bits.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use medley_package::TaskKind;
use npyz::{DType, NpyFile, Order, TypeChar};
use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{ImportError, SourcePlace};
use super::item::{Answer, Item, Pixels};
use super::named_classes;
use super::sink::Sink;
use crate::records::Split;

type Archive = ZipArchive<BufReader<File>>;

/// The shape of the pictures of a split.
struct Shape {
    count: u64,
    height: u32,
    width: u32,
    colour: bool,
}

/// Reads it, picture by picture: the file may be larger than the memory. The splits are the file's.
pub(super) fn read(sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let source = sink.plan.source.clone();
    let classes = named_classes(sink.plan, "in the order of their numbers")?;
    let failed = |error: ZipError| wrong(&source, format!("not an .npz file: {error}"));
    let file = File::open(&source).map_err(|error| wrong(&source, error.to_string()))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(failed)?;
    let mut splits = Vec::new();
    for split in Split::ALL {
        let Some(shape) = shape(&mut archive, &source, &images(split))? else { continue };
        let name = format!("{split}_labels.npy");
        let labels = labels(&mut archive, &source, &name)?;
        if labels.len() as u64 != shape.count {
            let (found, count) = (labels.len(), shape.count);
            let reason = format!("{name} holds {found} labels for {count} pictures");
            return Err(wrong(&source, reason));
        }
        splits.push((split, shape, labels));
    }
    if splits.is_empty() {
        let reason = "expected train_images, val_images or test_images".to_string();
        return Err(wrong(&source, reason));
    }
    let total = splits.iter().map(|(_, _, labels)| labels.len()).sum();
    sink.begin(TaskKind::Classification, classes, total)?;
    for (split, shape, labels) in splits {
        let entry = archive.by_name(&images(split)).map_err(failed)?;
        let mut pixels =
            NpyFile::new(entry).map_err(|error| damaged(&source, &error))?.into_inner();
        // No overflow: both sides were checked to be small.
        let bytes = shape.width as usize * shape.height as usize * if shape.colour { 3 } else { 1 };
        for (index, label) in labels.into_iter().enumerate() {
            let mut values = vec![0; bytes];
            pixels.read_exact(&mut values).map_err(|error| damaged(&source, &error))?;
            let name = format!("{split}_{index}");
            sink.take(Ok(Item {
                place: SourcePlace::part(&source, format!("{} {index}", images(split))),
                path: name,
                split: Some(split),
                pixels: Pixels::Raw {
                    width: shape.width,
                    height: shape.height,
                    colour: shape.colour,
                    values,
                },
                stated: None,
                answer: Answer::Label(label),
            }))?;
        }
    }
    Ok(())
}

fn images(split: Split) -> String {
    format!("{split}_images.npy")
}

/// The shape of an array of pictures; none if it is not in the archive.
fn shape(archive: &mut Archive, source: &Path, name: &str) -> Result<Option<Shape>, ImportError> {
    let entry = match archive.by_name(name) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(wrong(source, error.to_string())),
    };
    let array = NpyFile::new(entry).map_err(|error| damaged(source, &error))?;
    let (shape, dtype) = (array.shape(), array.dtype());
    if kind(&dtype) != Some((TypeChar::Uint, 1)) || array.order() != Order::C {
        let found = dtype.descr();
        let reason = format!("{name} holds {found}; expected bytes ('|u1') in C order");
        return Err(wrong(source, reason));
    }
    let side = |side: u64| {
        u32::try_from(side).ok().filter(|side| (1..=medley_infer::MAX_SIDE).contains(side))
    };
    let found = match *shape {
        [count, height, width] => Some((count, height, width, false)),
        [count, height, width, 3] => Some((count, height, width, true)),
        _ => None,
    };
    let fitting = found.and_then(|(count, height, width, colour)| {
        Some(Shape { count, height: side(height)?, width: side(width)?, colour })
    });
    fitting.map(Some).ok_or_else(|| {
        wrong(
            source,
            format!(
                "{name} has the shape {shape:?}; expected [n, height, width] or [n, height, width, 3]: \
                 three-dimensional sets are not read"
            ),
        )
    })
}

/// The labels of a split, one a picture.
fn labels(archive: &mut Archive, source: &Path, name: &str) -> Result<Vec<i64>, ImportError> {
    let entry = archive.by_name(name).map_err(|error| wrong(source, format!("{name}: {error}")))?;
    let array = NpyFile::new(entry).map_err(|error| damaged(source, &error))?;
    if !matches!(*array.shape(), [_] | [_, 1]) {
        let reason = format!(
            "{name} has the shape {:?}; expected one label a picture, [n] or [n, 1]: sets with several labels a \
             picture are not read",
            array.shape()
        );
        return Err(wrong(source, reason));
    }
    let dtype = array.dtype();
    // What is too large for i64 is no class either way.
    let values = match kind(&dtype) {
        Some((TypeChar::Uint, 1)) => array.into_vec::<u8>().map(|all| widen(all, i64::from)),
        Some((TypeChar::Uint, 2)) => array.into_vec::<u16>().map(|all| widen(all, i64::from)),
        Some((TypeChar::Uint, 4)) => array.into_vec::<u32>().map(|all| widen(all, i64::from)),
        Some((TypeChar::Uint, 8)) => array
            .into_vec::<u64>()
            .map(|all| widen(all, |value| i64::try_from(value).unwrap_or(i64::MAX))),
        Some((TypeChar::Int, 1)) => array.into_vec::<i8>().map(|all| widen(all, i64::from)),
        Some((TypeChar::Int, 2)) => array.into_vec::<i16>().map(|all| widen(all, i64::from)),
        Some((TypeChar::Int, 4)) => array.into_vec::<i32>().map(|all| widen(all, i64::from)),
        Some((TypeChar::Int, 8)) => array.into_vec::<i64>(),
        _ => {
            let reason = format!("{name} holds {}; expected whole numbers", dtype.descr());
            return Err(wrong(source, reason));
        }
    };
    values.map_err(|error| damaged(source, &error))
}

fn widen<T>(values: Vec<T>, widen: impl Fn(T) -> i64) -> Vec<i64> {
    values.into_iter().map(widen).collect()
}

/// Kind and bytes of the numbers of an array.
fn kind(dtype: &DType) -> Option<(TypeChar, u64)> {
    match dtype {
        DType::Plain(plain) => Some((plain.type_char(), plain.size_field())),
        _ => None,
    }
}

fn wrong(source: &Path, reason: String) -> ImportError {
    ImportError::Source { path: source.to_path_buf(), reason }
}

fn damaged(source: &Path, error: &std::io::Error) -> ImportError {
    wrong(source, format!("the file is damaged: {error}"))
}

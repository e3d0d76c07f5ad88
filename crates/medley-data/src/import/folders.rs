//! A folder of pictures for each class: `CLASS/…`, or `train/CLASS/…`, `val/CLASS/…`, `test/CLASS/…`.

use std::collections::BTreeSet;

use medley_package::TaskKind;

use super::class_of;
use super::error::{Fault, ImportError, SourcePlace};
use super::item::{Answer, Item, Pixels};
use super::layout::{below, files, files_in, folders, is_picture, last, roots};
use super::sink::Sink;

/// Reads it. Every visible file in a class's folder, and in the folders below it, has to be a picture. The classes
/// are in the order of the plan, else of their names.
pub(super) fn read(sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let source = &sink.plan.source;
    let roots = roots(source)?;
    if roots.iter().any(|root| root.split.is_some()) {
        let known: Vec<_> = roots.iter().map(|root| &root.folder).collect();
        if let Some(other) = folders(source)?.iter().find(|folder| !known.contains(folder)) {
            let reason = "a folder beside those of the splits; expected folders of splits alone (train, val, \
                          test), or of classes alone"
                .to_string();
            return Err(ImportError::Source { path: other.clone(), reason });
        }
    }
    let mut names = BTreeSet::new();
    let mut pictures = Vec::new();
    for root in &roots {
        for folder in folders(&root.folder)? {
            let name = last(&folder);
            for file in files(&folder)? {
                pictures.push((root.split, name.clone(), file));
            }
            names.insert(name);
        }
        for stray in files_in(&root.folder)?.into_iter().filter(|path| is_picture(path)) {
            sink.refuse(
                SourcePlace::file(stray)
                    .fault(super::FaultReason::NoAnswer("folder of a class around it")),
            );
        }
    }
    if names.is_empty() {
        let reason = "expected a folder for each class, with its pictures".to_string();
        return Err(ImportError::Source { path: source.clone(), reason });
    }
    let classes = sink.plan.classes.clone().unwrap_or_else(|| names.into_iter().collect());
    sink.begin(TaskKind::Classification, classes.clone(), pictures.len())?;
    for (split, name, file) in pictures {
        let place = SourcePlace::file(&file);
        let item = match class_of(&name, &classes) {
            Ok(class) => Ok(Item {
                path: below(source, &file),
                place,
                split,
                pixels: Pixels::File(file),
                stated: None,
                answer: Answer::Label(class as i64),
            }),
            Err(reason) => Err::<Item, Fault>(place.fault(reason)),
        };
        sink.take(item)?;
    }
    Ok(())
}

//! A pretrained head as it is, on another centre's images.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use medley_data::{Database, Example, Split, TaskRecord};
use medley_infer::Medley;
use medley_package::{TaskKind, TaskSpec};

use super::foundation::Foundation;
use super::leak::refuse_leak;
use super::mode::Mode;
use super::protocol::{Ended, Run, Watcher, data_digest, setup};
use super::rows::{Ledger, Row};
use crate::error::TrainError;
use crate::evaluate::{CommonClasses, measure};

/// The same finding from two centres: "pneumonia-children:pneumonia-adults".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twins {
    /// The pretrained task whose head answers.
    pub source: String,
    /// The task whose test images are asked about.
    pub target: String,
}

impl FromStr for Twins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (source, target) = text
            .split_once(':')
            .filter(|(source, target)| !source.is_empty() && !target.is_empty())
            .ok_or("expected SOURCE:TARGET, as pneumonia-children:pneumonia-adults")?;
        Ok(Self { source: source.into(), target: target.into() })
    }
}

/// Which class of the source stands for which of the target, where their names differ:
/// "bacterial pneumonia=pneumonia,viral pneumonia=pneumonia".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassMap(Vec<(String, String)>);

impl FromStr for ClassMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = |pair: &str| {
            let (source, target) = pair.split_once('=').ok_or_else(|| {
                format!("expected SOURCE=TARGET, as bacterial pneumonia=pneumonia, found {pair:?}")
            })?;
            Ok::<_, String>((source.trim().to_owned(), target.trim().to_owned()))
        };
        text.split(',').map(pair).collect::<Result<_, _>>().map(Self)
    }
}

impl ClassMap {
    fn of<'a>(&'a self, source: &'a str) -> &'a str {
        self.0.iter().find(|pair| pair.0 == source).map_or(source, |pair| &pair.1)
    }
}

/// Measures the head of each pair's source on the test split of its target, and on its own centre's test split
/// in the same classes. Both rows are in the ledger before the next pair begins.
///
/// `medley`: the model of `foundation` with its heads.
///
/// # Errors
/// A task that is not there, kinds that differ, classes without a counterpart, an entry of the map that fits no
/// pair, a target whose labels the model was pretrained on, an image that cannot be read.
#[allow(clippy::too_many_arguments, reason = "what is measured, with what, and who hears of it")]
pub fn zero_shot(
    foundation: &Foundation,
    medley: &Medley,
    database: &Database,
    pairs: &[Twins],
    map: &ClassMap,
    ledger: &mut Ledger,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Result<Ended, TrainError> {
    let mut parts = Vec::new();
    let mut used = vec![false; map.0.len()];
    for pair in pairs {
        if let Some(remark) = refuse_leak(foundation, database, &pair.target)? {
            watcher.remark(&remark);
        }
        let source = medley.task(&pair.source)?;
        let target = database.task(&pair.target)?;
        for (used, (from, to)) in used.iter_mut().zip(&map.0) {
            *used |= source.classes.contains(from) && target.classes.contains(to);
        }
        let common = Common::of(source, target, map)?;
        if let Some(remark) = common.remark(source, target) {
            watcher.remark(&remark);
        }
        parts.push(Part::read(
            database,
            Mode::ZeroShot,
            &pair.target,
            source,
            common.on_target.clone(),
        )?);
        match database.task(&pair.source) {
            Ok(own) if own.classes == source.classes && own.kind == source.kind => {
                parts.push(Part::read(
                    database,
                    Mode::OwnCentre,
                    &pair.source,
                    source,
                    common.on_source,
                )?);
            }
            _ => watcher.remark(&format!(
                "{}: the database does not have this task, so its own centre is not measured",
                pair.source
            )),
        }
    }
    if let Some(index) = used.iter().position(|used| !used) {
        let (from, to) = &map.0[index];
        return Err(TrainError::Protocol(format!(
            "the map {from:?}={to:?} fits no pair: expected a class of a source = a class of its target"
        )));
    }
    measure_all(foundation, medley, parts, ledger, watcher, stop)
}

fn measure_all(
    foundation: &Foundation,
    medley: &Medley,
    parts: Vec<Part<'_>>,
    ledger: &mut Ledger,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Result<Ended, TrainError> {
    let mut to_do = Vec::new();
    let mut there_already = 0;
    for part in parts {
        let row = part.row(&foundation.digest);
        if ledger.has(&row)? { there_already += 1 } else { to_do.push((part, row)) }
    }
    watcher.planned(to_do.len(), there_already);
    for (part, row) in to_do {
        let run = part.run();
        watcher.begin(&run);
        let of = part.examples.len();
        let found = measure(medley, part.source, &part.common, &part.examples, &mut |done| {
            watcher.progress("images", done, of);
            !stop.load(Ordering::Relaxed)
        })?;
        if found.n < of || stop.load(Ordering::Relaxed) {
            return Ok(Ended::Stopped);
        }
        let Some(row) = row.answered(&found.figures, &part.metric) else { continue };
        let rows = vec![row];
        ledger.add(rows.clone())?;
        watcher.finished(&run, &rows);
    }
    Ok(Ended::Complete)
}

/// One measurement.
struct Part<'a> {
    mode: Mode,
    /// Whose test images.
    task: String,
    /// Whose head.
    source: &'a TaskSpec,
    common: CommonClasses,
    examples: Vec<Example>,
    metric: String,
}

impl<'a> Part<'a> {
    fn read(
        database: &Database,
        mode: Mode,
        task: &str,
        source: &'a TaskSpec,
        common: CommonClasses,
    ) -> Result<Self, TrainError> {
        let examples = database.examples(task, Split::Test)?;
        if examples.is_empty() {
            return Err(TrainError::Protocol(format!(
                "task “{task}” has no image in the split test"
            )));
        }
        let metric = database.task(task)?.metric.clone();
        Ok(Self { mode, task: task.to_owned(), source, common, examples, metric })
    }

    fn run(&self) -> Run {
        Run { task: self.task.clone(), mode: self.mode, fraction: 0.0, seed: 0 }
    }

    /// Its row without the figure.
    fn row(&self, weights: &str) -> Row {
        let data = data_digest(self.examples.iter());
        let text = format!("{} {weights} {:?} {:?} {data}", self.mode, self.source, self.common);
        let source = Some(self.source.name.clone());
        Row { source, ..Row::unanswered(&self.run(), setup(&text)) }
    }
}

/// The classes that both sides have.
#[derive(Debug)]
struct Common {
    on_target: CommonClasses,
    /// For the source's own images, whose labels are renamed as the answers are.
    on_source: CommonClasses,
}

impl Common {
    fn of(source: &TaskSpec, target: &TaskRecord, map: &ClassMap) -> Result<Self, TrainError> {
        let fault = |reason: String| {
            Err(TrainError::Protocol(format!("{}:{}: {reason}", source.name, target.name)))
        };
        if source.kind != target.kind {
            return fault(format!(
                "the source is {:?}, the target {:?}; expected the same kind",
                source.kind, target.kind
            ));
        }
        let has_background = source.kind == TaskKind::Segmentation;
        let counterpart = |index: usize, name: &str| {
            if has_background && index == 0 {
                return Some(0);
            }
            target.classes.iter().position(|class| class == map.of(name))
        };
        let of_source: Vec<Option<usize>> = source
            .classes
            .iter()
            .enumerate()
            .map(|(index, name)| counterpart(index, name))
            .collect();
        // The target's classes that something answers, in their order.
        let mut count = 0;
        let labels: Vec<Option<usize>> = (0..target.classes.len())
            .map(|class| {
                of_source.contains(&Some(class)).then(|| {
                    count += 1;
                    count - 1
                })
            })
            .collect();
        let least = if source.kind == TaskKind::Detection { 1 } else { 2 };
        if count < least {
            return fault(format!(
                "the source has the classes {:?}, the target {:?}: fewer than {least} in common; name the others \
                 with --map",
                source.classes, target.classes
            ));
        }
        let answers: Vec<Option<usize>> =
            of_source.iter().map(|class| class.and_then(|class| labels[class])).collect();
        Ok(Self {
            on_source: CommonClasses { count, answers: answers.clone(), labels: answers.clone() },
            on_target: CommonClasses { count, answers, labels },
        })
    }

    /// What is left out, for the reader of the figures.
    fn remark(&self, source: &TaskSpec, target: &TaskRecord) -> Option<String> {
        let without = |names: &[String], classes: &[Option<usize>]| -> Vec<String> {
            names
                .iter()
                .zip(classes)
                .filter(|(_, class)| class.is_none())
                .map(|(name, _)| name.clone())
                .collect()
        };
        let answers = without(&source.classes, &self.on_target.answers);
        let labels = without(&target.classes, &self.on_target.labels);
        let all = [answers, labels].concat();
        (!all.is_empty()).then(|| {
            format!(
                "{}:{}: classes without a counterpart do not count: {}",
                source.name,
                target.name,
                all.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use medley_data::Role;
    use medley_package::Presentation;

    use super::*;

    fn source(kind: TaskKind, classes: &[&str]) -> TaskSpec {
        TaskSpec {
            name: "source".into(),
            kind,
            classes: classes.iter().map(ToString::to_string).collect(),
            multi_label: false,
            modality: String::new(),
            presentation: Presentation::Whole { size: 64 },
        }
    }

    fn target(kind: TaskKind, classes: &[&str]) -> TaskRecord {
        TaskRecord {
            name: "target".into(),
            dataset: "set".into(),
            kind,
            field: String::new(),
            classes: classes.iter().map(ToString::to_string).collect(),
            role: Role::Target,
            modality: String::new(),
            metric: String::new(),
            note: String::new(),
        }
    }

    #[test]
    fn several_classes_of_the_source_may_stand_for_one_of_the_target() {
        let kind = TaskKind::Classification;
        let map: ClassMap = "bacterial=pneumonia, viral=pneumonia".parse().unwrap();
        let children = source(kind, &["viral", "normal", "bacterial"]);
        let adults = target(kind, &["normal", "pneumonia"]);
        let common = Common::of(&children, &adults, &map).unwrap();
        assert_eq!(common.on_target.answers, [Some(1), Some(0), Some(1)]);
        assert_eq!(common.on_target.labels, [Some(0), Some(1)]);
        assert_eq!(common.on_source.labels, [Some(1), Some(0), Some(1)]);
        assert_eq!(common.remark(&children, &adults), None);
        let error = Common::of(&children, &adults, &ClassMap::default()).unwrap_err().to_string();
        assert!(error.contains("--map"), "{error}");
    }

    #[test]
    fn what_one_side_alone_has_is_left_out_and_said() {
        let cells = source(TaskKind::Detection, &["red", "white", "platelet"]);
        let others = target(TaskKind::Detection, &["sickle", "white", "red"]);
        let common = Common::of(&cells, &others, &ClassMap::default()).unwrap();
        assert_eq!(common.on_target.count, 2);
        assert_eq!(common.on_target.answers, [Some(1), Some(0), None]);
        assert_eq!(common.on_target.labels, [None, Some(0), Some(1)]);
        let remark = common.remark(&cells, &others).unwrap();
        assert!(remark.contains("platelet, sickle"), "{remark}");
    }

    #[test]
    fn backgrounds_are_the_same_whatever_they_are_called() {
        let one = source(TaskKind::Segmentation, &["background", "nucleus"]);
        let other = target(TaskKind::Segmentation, &["rest", "dirt", "nucleus"]);
        let common = Common::of(&one, &other, &ClassMap::default()).unwrap();
        assert_eq!(common.on_target.answers, [Some(0), Some(1)]);
        assert_eq!(common.on_target.labels, [Some(0), None, Some(1)]);
        let error =
            Common::of(&one, &target(TaskKind::Detection, &["nucleus"]), &ClassMap::default());
        assert!(error.unwrap_err().to_string().contains("same kind"));
    }

    #[test]
    fn pairs_and_maps_are_read_and_refused_with_an_example() {
        assert_eq!(
            "a:b".parse::<Twins>().unwrap(),
            Twins { source: "a".into(), target: "b".into() }
        );
        assert!("a".parse::<Twins>().unwrap_err().contains("SOURCE:TARGET"));
        assert!("a,b".parse::<ClassMap>().unwrap_err().contains("SOURCE=TARGET"));
    }
}

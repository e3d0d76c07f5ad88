//! Answers and embeddings as rows of tables.

use std::path::{Path, PathBuf};

use anyhow::Result;
use medley_infer::{Analysis, Output, TaskResult};
use medley_package::NOTICE;

use crate::table_file::{Cell, Kind, TableFile};

/// What a row is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// A picture: its file, the frame from 1 where there are several, square millimetres of a pixel.
    Picture(&'a str, Option<u32>, Option<f64>),
    /// A series of slices, by the file of the first: answers and embedding are the means of the slices'.
    Series(&'a str),
}

/// The tables that were asked for.
#[derive(Default)]
pub struct Tables {
    results: Option<TableFile>,
    embeddings: Option<Embeddings>,
}

/// Made with its first row, which tells how long embeddings are.
struct Embeddings {
    path: PathBuf,
    file: Option<TableFile>,
}

impl Tables {
    /// Makes the table of results; that of embeddings comes with its first row.
    ///
    /// # Errors
    /// A file that cannot be made.
    pub fn create(results: Option<&Path>, embeddings: Option<&Path>) -> Result<Self> {
        let columns = [
            ("file", Kind::Text),
            ("frame", Kind::Whole),
            ("level", Kind::Text),
            ("task", Kind::Text),
            ("kind", Kind::Text),
            ("class", Kind::Text),
            ("value", Kind::Decimal),
            ("pixels", Kind::Whole),
            ("mm2", Kind::Decimal),
            ("x0", Kind::Decimal),
            ("y0", Kind::Decimal),
            ("x1", Kind::Decimal),
            ("y1", Kind::Decimal),
            ("notice", Kind::Text),
        ]
        .map(|(name, kind)| (name.to_owned(), kind));
        Ok(Self {
            results: results.map(|path| TableFile::create(path, &columns)).transpose()?,
            embeddings: embeddings.map(|path| Embeddings { path: path.to_path_buf(), file: None }),
        })
    }

    /// Adds what was answered.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn add(&mut self, subject: Subject<'_>, analysis: &Analysis) -> Result<()> {
        if let Some(table) = &mut self.results {
            for result in &analysis.results {
                for cells in cells_of(subject, result) {
                    table.row([head(subject), cells, vec![Cell::Text(NOTICE.into())]].concat())?;
                }
            }
        }
        if let Some(embeddings) = &mut self.embeddings {
            embeddings.add(subject, &analysis.embedding)?;
        }
        Ok(())
    }

    /// Completes the files.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(self) -> Result<()> {
        let embeddings = self.embeddings.and_then(|embeddings| embeddings.file);
        [self.results, embeddings].into_iter().flatten().try_for_each(TableFile::finish)
    }
}

impl Embeddings {
    fn add(&mut self, subject: Subject<'_>, embedding: &[f32]) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let places = [("file", Kind::Text), ("frame", Kind::Whole), ("level", Kind::Text)];
                let mut columns: Vec<(String, Kind)> =
                    places.map(|(name, kind)| (name.to_owned(), kind)).into();
                columns.extend((0..embedding.len()).map(|i| (format!("e{i}"), Kind::Decimal)));
                columns.push(("notice".into(), Kind::Text));
                none.insert(TableFile::create(&self.path, &columns)?)
            }
        };
        let mut cells = head(subject);
        cells.extend(embedding.iter().map(|&value| Cell::Decimal(value.into())));
        cells.push(Cell::Text(NOTICE.into()));
        file.row(cells)
    }
}

fn head(subject: Subject<'_>) -> Vec<Cell> {
    let (file, frame, level) = match subject {
        Subject::Picture(file, frame, _) => (file, frame, "picture"),
        Subject::Series(file) => (file, None, "series"),
    };
    let frame = frame.map_or(Cell::Empty, |frame| Cell::Whole(frame.into()));
    vec![Cell::Text(file.into()), frame, Cell::Text(level.into())]
}

/// One row for each class of a classification, each class of a mask but the background, each box.
fn cells_of(subject: Subject<'_>, result: &TaskResult) -> Vec<Vec<Cell>> {
    let area = if let Subject::Picture(_, _, area) = subject { area } else { None };
    let row = |kind: &str, class: &str, value: f64, rest: [Cell; 6]| {
        let mut cells = vec![
            Cell::Text(result.task.clone()),
            Cell::Text(kind.into()),
            Cell::Text(class.into()),
            Cell::Decimal(value),
        ];
        cells.extend(rest);
        cells
    };
    const NONE: [Cell; 6] = [const { Cell::Empty }; 6];
    match &result.output {
        Output::Classes(classes) => classes
            .iter()
            .map(|class| row("classification", &class.name, class.probability.into(), NONE))
            .collect(),
        Output::Mask(mask) => {
            let total = mask.indices.len().max(1) as f64;
            let counts = mask.classes.iter().zip(mask.counts()).skip(1);
            counts
                .map(|(class, count)| {
                    let mut rest = NONE;
                    rest[0] = Cell::Whole(count as i64);
                    if let Some(area) = area {
                        rest[1] = Cell::Decimal(count as f64 * area);
                    }
                    row("segmentation", class, count as f64 / total, rest)
                })
                .collect()
        }
        Output::Boxes(boxes) => boxes
            .iter()
            .map(|found| {
                let [x0, y0, x1, y1] = found.bbox.map(|v| Cell::Decimal(v.into()));
                let rest = [Cell::Empty, Cell::Empty, x0, y0, x1, y1];
                row("detection", &found.class, found.score.into(), rest)
            })
            .collect(),
    }
}

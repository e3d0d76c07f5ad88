//! A heap of files sorted into studies, series and slices.

use std::collections::{BTreeMap, HashMap};

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::error::DicomError;
use crate::geometry::Geometry;
use crate::layout::Layout;
use crate::read::DicomFile;

/// Slices whose distance is larger than this multiple of the usual one have a gap between them.
const GAP: f64 = 1.5;
/// Slices nearer than this share of the usual distance lie at the same place.
const SAME_PLACE: f64 = 0.01;
/// Millimetres that count as the same place where there is no usual distance.
const SAME_MILLIMETRES: f64 = 1e-3;
/// Cosine between normals of one orientation; rounded decimals allow no less.
const SAME_DIRECTION: f64 = 0.999;

/// What is kept of a file for sorting; the pixels are not.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceHeader {
    study: String,
    series: String,
    instance: String,
    modality: Option<String>,
    number: Option<i64>,
    size: (u32, u32),
    frames: Vec<Geometry>,
}

impl SliceHeader {
    /// Reads what sorting needs.
    ///
    /// # Errors
    /// No image, or no identifiers of study, series and instance.
    pub fn read(file: &DicomFile) -> Result<Self, DicomError> {
        let layout = Layout::read(file)?;
        let attributes = file.attributes();
        let uid = |name, tag: Tag| {
            let missing = || DicomError::MissingAttribute { name, tag: tag.to_string() };
            attributes.text(tag).ok_or_else(missing)
        };
        Ok(Self {
            study: uid("StudyInstanceUID", tags::STUDY_INSTANCE_UID)?,
            series: uid("SeriesInstanceUID", tags::SERIES_INSTANCE_UID)?,
            instance: uid("SOPInstanceUID", tags::SOP_INSTANCE_UID)?,
            modality: file.modality(),
            number: attributes.integer("InstanceNumber", tags::INSTANCE_NUMBER).ok().flatten(),
            size: (layout.rows, layout.columns),
            frames: (0..layout.frames).map(|frame| file.geometry(frame)).collect(),
        })
    }

    /// Identifiers of study and series: [`sort_series`] puts headers of equal ones together.
    pub fn series_key(&self) -> (&str, &str) {
        (&self.study, &self.series)
    }
}

/// All series of one examination.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Its identifier.
    pub uid: String,
    /// In the order in which their first files came.
    pub series: Vec<Series>,
}

/// Slices that belong together, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its identifier.
    pub uid: String,
    /// Modality, as "CT".
    pub modality: Option<String>,
    /// From one end to the other.
    pub slices: Vec<Slice>,
    /// Usual distance between neighbours in millimetres.
    pub spacing: Option<f64>,
    /// What is not as it should be.
    pub problems: Vec<SeriesProblem>,
}

/// One slice: a frame of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice {
    /// Index of the file among those given.
    pub source: usize,
    /// Frame, from 0.
    pub frame: u32,
    /// Distance along the normal in millimetres.
    pub distance: Option<f64>,
}

/// What is not as it should be in a series. Slices are counted from 0 in their order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SeriesProblem {
    /// Slices are missing between two neighbours.
    Missing {
        /// The slice before the gap.
        after: usize,
        /// How many would fit.
        count: u32,
    },
    /// Two slices lie at the same place.
    SamePlace {
        /// The first of them.
        first: usize,
        /// The second.
        second: usize,
    },
    /// A file with the identifier of another; left out.
    SameInstance {
        /// Index of the file that is kept, among those given.
        kept: usize,
        /// Index of the one that is left out.
        left_out: usize,
    },
    /// Slices lie in different directions, or do not say where: sorted by their numbers.
    NoCommonOrientation,
    /// Slices differ in rows or columns.
    DifferentSizes,
}

impl std::fmt::Display for SeriesProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { after, count } => {
                write!(f, "{count} missing between slices {} and {}", after + 1, after + 2)
            }
            Self::SamePlace { first, second } => {
                write!(f, "slices {} and {} lie at the same place", first + 1, second + 1)
            }
            Self::SameInstance { .. } => write!(f, "a file is there twice; one was left out"),
            Self::NoCommonOrientation => {
                write!(f, "no common orientation: sorted by instance number")
            }
            Self::DifferentSizes => write!(f, "slices differ in rows or columns"),
        }
    }
}

/// Sorts headers into studies and series, and slices by position along the normal, else by instance number.
pub fn sort_series(headers: &[SliceHeader]) -> Vec<Study> {
    let mut studies: Vec<Study> = Vec::new();
    let mut members: Vec<Vec<Vec<usize>>> = Vec::new();
    let mut places: HashMap<(&str, &str), (usize, usize)> = HashMap::new();
    for (index, header) in headers.iter().enumerate() {
        let (study, series) = *places.entry(header.series_key()).or_insert_with(|| {
            let study = studies.iter().position(|study| study.uid == header.study);
            let study = study.unwrap_or_else(|| {
                studies.push(Study { uid: header.study.clone(), series: Vec::new() });
                members.push(Vec::new());
                studies.len() - 1
            });
            studies[study].series.push(Series {
                uid: header.series.clone(),
                modality: header.modality.clone(),
                slices: Vec::new(),
                spacing: None,
                problems: Vec::new(),
            });
            members[study].push(Vec::new());
            (study, studies[study].series.len() - 1)
        });
        members[study][series].push(index);
    }
    for (study, members) in studies.iter_mut().zip(&members) {
        for (series, members) in study.series.iter_mut().zip(members) {
            series.fill(headers, members);
        }
    }
    studies
}

impl Series {
    fn fill(&mut self, headers: &[SliceHeader], members: &[usize]) {
        let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
        let mut files = Vec::with_capacity(members.len());
        for &index in members {
            match kept.get(headers[index].instance.as_str()) {
                Some(&kept) => {
                    self.problems.push(SeriesProblem::SameInstance { kept, left_out: index });
                }
                None => {
                    kept.insert(&headers[index].instance, index);
                    files.push(index);
                }
            }
        }
        if files.iter().any(|&index| headers[index].size != headers[files[0]].size) {
            self.problems.push(SeriesProblem::DifferentSizes);
        }
        // Stable: frames of a file keep their order, and files without number the one they came in.
        files.sort_by_key(|&index| headers[index].number.unwrap_or(i64::MAX));
        let mut slices: Vec<Slice> = Vec::new();
        let mut normals = Vec::new();
        for &source in &files {
            for (frame, geometry) in headers[source].frames.iter().enumerate() {
                normals.push(geometry.normal());
                slices.push(Slice { source, frame: frame as u32, distance: geometry.distance() });
            }
        }
        let placed = slices.iter().all(|slice| slice.distance.is_some()) && parallel(&normals);
        if placed {
            let distance = |slice: &Slice| slice.distance.unwrap_or_default();
            slices.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
            self.find_gaps(&slices.iter().map(distance).collect::<Vec<f64>>());
        } else if slices.len() > 1 {
            self.problems.push(SeriesProblem::NoCommonOrientation);
            self.find_missing_numbers(headers, &files);
        }
        self.slices = slices;
    }

    fn find_gaps(&mut self, distances: &[f64]) {
        let gaps: Vec<f64> = distances.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mut real: Vec<f64> =
            gaps.iter().copied().filter(|gap| *gap > SAME_MILLIMETRES).collect();
        real.sort_by(f64::total_cmp);
        // The lower median: with one gap among few slices it is still the usual distance.
        let usual = real.get(real.len().saturating_sub(1) / 2).copied();
        self.spacing = usual;
        let nothing = usual.map_or(SAME_MILLIMETRES, |usual| usual * SAME_PLACE);
        for (after, &gap) in gaps.iter().enumerate() {
            if gap <= nothing {
                self.problems.push(SeriesProblem::SamePlace { first: after, second: after + 1 });
            } else if let Some(usual) = usual.filter(|usual| gap > usual * GAP) {
                // At most as many as a series can have; the cast cuts.
                let count = ((gap / usual).round() as u32).saturating_sub(1).max(1);
                self.problems.push(SeriesProblem::Missing { after, count });
            }
        }
    }

    fn find_missing_numbers(&mut self, headers: &[SliceHeader], files: &[usize]) {
        let numbers: Option<Vec<i64>> = files.iter().map(|&index| headers[index].number).collect();
        let Some(numbers) = numbers.filter(|_| files.iter().all(|&i| headers[i].frames.len() == 1))
        else {
            return;
        };
        for (after, pair) in numbers.windows(2).enumerate() {
            match pair[1].saturating_sub(pair[0]) {
                0 => {
                    let second = after + 1;
                    self.problems.push(SeriesProblem::SamePlace { first: after, second });
                }
                1 => {}
                step => {
                    let count = u32::try_from(step - 1).unwrap_or(u32::MAX);
                    self.problems.push(SeriesProblem::Missing { after, count });
                }
            }
        }
    }
}

fn parallel(normals: &[Option<[f64; 3]>]) -> bool {
    let Some(Some(first)) = normals.first() else { return false };
    normals.iter().all(|normal| {
        normal.is_some_and(|normal| {
            first.iter().zip(normal).map(|(a, b)| a * b).sum::<f64>() > SAME_DIRECTION
        })
    })
}

/// How far a series has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesProgress {
    /// Slices that are done.
    pub done: usize,
    /// Slices in all.
    pub total: usize,
}

impl Series {
    /// Runs a two-dimensional model slice by slice, in order; `progress` hears before the first slice and after
    /// each one. The first error ends it.
    ///
    /// # Errors
    /// What `analyze` gives.
    pub fn each_slice<R, E>(
        &self,
        mut analyze: impl FnMut(&Slice) -> Result<R, E>,
        mut progress: impl FnMut(SeriesProgress),
    ) -> Result<Vec<R>, E> {
        let total = self.slices.len();
        progress(SeriesProgress { done: 0, total });
        let mut results = Vec::with_capacity(total);
        for slice in &self.slices {
            results.push(analyze(slice)?);
            progress(SeriesProgress { done: results.len(), total });
        }
        Ok(results)
    }
}

/// Mean of vectors of one length: the embedding of a series from those of its slices, or its class
/// probabilities. None if there are none, or they differ in length.
pub fn pool_mean<'a>(vectors: impl IntoIterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut vectors = vectors.into_iter();
    let first = vectors.next()?;
    let mut sums: Vec<f64> = first.iter().map(|&value| f64::from(value)).collect();
    let mut count = 1.0;
    for vector in vectors {
        if vector.len() != sums.len() {
            return None;
        }
        sums.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += f64::from(value));
        count += 1.0;
    }
    Some(sums.into_iter().map(|sum| (sum / count) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(series: &str, instance: &str, number: Option<i64>, z: Option<f64>) -> SliceHeader {
        SliceHeader {
            study: "1.2".into(),
            series: series.into(),
            instance: instance.into(),
            modality: Some("CT".into()),
            number,
            size: (4, 4),
            frames: vec![Geometry {
                position: z.map(|z| [10.0, 20.0, z]),
                orientation: z.map(|_| [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
                ..Geometry::default()
            }],
        }
    }

    fn order(series: &Series) -> Vec<usize> {
        series.slices.iter().map(|slice| slice.source).collect()
    }

    #[test]
    fn slices_are_sorted_by_position_and_gaps_and_twins_are_told() {
        let headers = [
            header("a", "1", Some(9), Some(30.0)),
            header("b", "2", None, None),
            header("a", "3", Some(1), Some(0.0)),
            header("a", "4", Some(2), Some(5.0)),
            header("a", "5", Some(3), Some(10.0)),
            header("a", "6", Some(4), Some(10.001)),
            header("a", "3", Some(1), Some(0.0)),
            header("a", "8", Some(5), Some(15.0)),
        ];
        let studies = sort_series(&headers);
        assert_eq!(studies.len(), 1);
        let [a, b] = &studies[0].series[..] else { unreachable!() };
        assert_eq!(order(a), [2, 3, 4, 5, 7, 0]);
        assert!((a.spacing.unwrap() - 5.0).abs() < 0.01, "{:?}", a.spacing);
        assert_eq!(
            a.problems,
            [
                SeriesProblem::SameInstance { kept: 2, left_out: 6 },
                SeriesProblem::SamePlace { first: 2, second: 3 },
                // 15 to 30 in steps of 5: 20 and 25.
                SeriesProblem::Missing { after: 4, count: 2 },
            ]
        );
        assert_eq!((order(b), b.problems.len()), (vec![1], 0));
    }

    #[test]
    fn without_positions_the_numbers_decide() {
        let headers = [3, 1, 6].map(|number| header("a", &number.to_string(), Some(number), None));
        let series = &sort_series(&headers)[0].series[0];
        assert_eq!(order(series), [1, 0, 2]);
        assert_eq!(
            series.problems,
            [
                SeriesProblem::NoCommonOrientation,
                SeriesProblem::Missing { after: 0, count: 1 },
                SeriesProblem::Missing { after: 1, count: 2 },
            ]
        );
    }

    #[test]
    fn progress_is_told_and_embeddings_are_pooled() {
        let headers = [0.0, 1.0, 2.0].map(|z| header("a", &z.to_string(), None, Some(z)));
        let series = &sort_series(&headers)[0].series[0];
        let mut heard = Vec::new();
        let embeddings = series.each_slice(
            |slice| Ok::<_, ()>(vec![slice.source as f32, 1.0]),
            |progress| heard.push((progress.done, progress.total)),
        );
        assert_eq!(heard, [(0, 3), (1, 3), (2, 3), (3, 3)]);
        let embeddings = embeddings.unwrap();
        assert_eq!(pool_mean(embeddings.iter().map(Vec::as_slice)), Some(vec![1.0, 1.0]));
        assert_eq!(pool_mean([[1.0].as_slice(), &[1.0, 2.0]]), None);
        assert_eq!(pool_mean([]), None);
    }
}

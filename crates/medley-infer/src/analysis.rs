//! What is asked of a model, and what it answers.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

use medley_package::TaskKind;

/// Boxes below this score are left out where people look at them. Of 0.3 to 0.55 the one with the
/// best F1 on the validation splits (docs/results.md).
pub const DISPLAY_THRESHOLD: f32 = 0.45;

/// Boxes below this score are left out where average precision is measured, which wants the long
/// tail of uncertain ones too.
pub const EVALUATION_THRESHOLD: f32 = 0.05;

/// Told before each stage which share of the work is done, 0..=1; the stage begins when the future is ready.
///
/// Where there is one thread for all, as in a browser, this is where others get their turn, so that
/// a cancellation can be heard at all.
pub type Between = Rc<dyn Fn(f32) -> Pin<Box<dyn Future<Output = ()>>>>;

/// What to analyse, and how.
#[derive(Clone)]
pub struct AnalyzeOptions {
    /// Names of the tasks to answer; all if none.
    pub tasks: Option<Vec<String>>,
    /// Boxes with a lower score are left out; 0..=1, [`DISPLAY_THRESHOLD`] if not said otherwise.
    pub score_threshold: f32,
    /// Asked between the stages; once it says true, the analysis ends with
    /// [`InferError::Cancelled`].
    pub cancelled: Option<Rc<dyn Fn() -> bool>>,
    /// Awaited between the stages, before `cancelled` is asked.
    pub between: Option<Between>,
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        Self { tasks: None, score_threshold: DISPLAY_THRESHOLD, cancelled: None, between: None }
    }
}

impl fmt::Debug for AnalyzeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnalyzeOptions")
            .field("tasks", &self.tasks)
            .field("score_threshold", &self.score_threshold)
            .field("cancelled", &self.cancelled.is_some())
            .field("between", &self.between.is_some())
            .finish()
    }
}

/// The answers for one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// One per task, in the order asked for (that of the package if all were).
    pub results: Vec<TaskResult>,
    /// The picture as the encoder sees it, for classifiers of one's own and for comparing pictures: mean and deviation
    /// of each channel of the pyramid's first three maps; the mean over the windows where there are several.
    pub embedding: Vec<f32>,
    /// Where the time went.
    pub timing: Timing,
}

/// Milliseconds of each stage.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Timing {
    /// Scaling and cutting windows.
    #[serde(rename = "prepare")]
    pub prepare_ms: f64,
    /// The encoder.
    #[serde(rename = "encode")]
    pub encode_ms: f64,
    /// Decoders and heads, with the reading of their outputs.
    #[serde(rename = "heads")]
    pub heads_ms: f64,
    /// From outputs to results.
    #[serde(rename = "finish")]
    pub finish_ms: f64,
    /// All of it, with what lies between.
    #[serde(rename = "total")]
    pub total_ms: f64,
}

/// The answer of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// The task's name.
    pub task: String,
    /// Its kind, which says what `output` is.
    pub kind: TaskKind,
    /// The answer.
    pub output: Output,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// One entry per class, in the order of the package's classes. Without several labels they
    /// add up to 1.
    Classes(Vec<ClassProbability>),
    /// A class for every pixel.
    Mask(Mask),
    /// Things found, the most certain first; at most 300.
    Boxes(Vec<DetectedBox>),
}

/// A class and how probable it is.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ClassProbability {
    /// The class.
    pub name: String,
    /// 0..=1, calibrated if the package says how.
    pub probability: f32,
}

/// A class for every pixel of the source picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Width of the source picture.
    pub width: u32,
    /// Height of the source picture.
    pub height: u32,
    /// Names of the classes; the first is the background.
    pub classes: Vec<String>,
    /// Index of the class of each pixel, row by row.
    pub indices: Vec<u8>,
}

/// A thing found in the picture.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DetectedBox {
    /// `[x0, y0, x1, y1]` in pixels of the source picture.
    #[serde(rename = "box")]
    pub bbox: [f32; 4],
    /// Name of the class.
    pub class: String,
    /// Its index among the task's classes.
    #[serde(skip)]
    pub class_index: usize,
    /// 0..=1: the square root of class probability times centerness.
    pub score: f32,
}

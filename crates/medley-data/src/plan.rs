//! What a loader is asked for, and whether it can be done.

use medley_infer::MAX_SIDE;
use medley_package::{Presentation, TaskKind, TaskSpec};

use crate::error::{DataError, RecordFault};
use crate::extra::ExtraAugmentation;
use crate::modality::Anatomy;
use crate::records::{Example, Target};

/// How much memory decoded pictures and masks may take by default: 4 GiB.
pub const DEFAULT_CACHE_BYTES: u64 = 4 << 30;

/// One task of a plan. [`crate::Database::plan`] makes it from a database.
#[derive(Debug, Clone)]
pub struct TaskPlan {
    /// The task.
    pub spec: TaskSpec,
    /// What its pictures show: decides how they are augmented.
    pub anatomy: Anatomy,
    /// Its images.
    pub examples: Vec<Example>,
    /// How many of them are in a batch that holds the task.
    pub per_batch: usize,
    /// Whether they are augmented; if not, they are shown as inference shows them.
    pub augment: bool,
    /// How strongly, 0..=1: see [`crate::Augmentation::scaled`].
    pub strength: f32,
    /// Changes beyond those of the table, at their full strength; see [`ExtraAugmentation`].
    pub extra: ExtraAugmentation,
    /// How many views of each drawn image are in a batch, each augmented on its own; they stand beside each other.
    /// `per_batch` counts views.
    pub views: usize,
    /// Draw the class first and then one of its images, so that rare classes come as often as common ones;
    /// classification only. Otherwise every image comes once in an epoch.
    pub balance: bool,
}

/// Which tasks are in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Some images of every task; with `slots`, of so many tasks, drawn anew each step with equal probability.
    Mixed {
        /// How many tasks, or all.
        slots: Option<usize>,
    },
    /// Images of one task: in the batch of step k the task at place k of the list, which repeats.
    Alternating {
        /// Places of tasks in the plan.
        order: Vec<usize>,
    },
}

/// What a loader does.
#[derive(Debug, Clone)]
pub struct LoaderPlan {
    /// The tasks.
    pub tasks: Vec<TaskPlan>,
    /// Side of the canvas in pixels; that of every task's presentation.
    pub size: u32,
    /// Sides from which each batch draws its own, with equal probability, for tasks that are augmented; none: always
    /// `size`. A whole picture is scaled with the side, a tile shows more or less at the same scale.
    pub sizes: Vec<u32>,
    /// Decides, with the step, everything that is drawn.
    pub seed: u64,
    /// Threads that make batches; at least one is started.
    pub threads: usize,
    /// How many batches are made ahead; at least one.
    pub ahead: usize,
    /// Which tasks are in a batch.
    pub way: Way,
    /// How much memory decoded pictures and masks may take, in bytes; what is beyond is decoded again each time.
    pub cache_bytes: u64,
}

impl LoaderPlan {
    /// A plan of mixed batches of all tasks, with one thread that works two batches ahead.
    pub fn mixed(tasks: Vec<TaskPlan>, size: u32, seed: u64) -> Self {
        Self {
            tasks,
            size,
            sizes: Vec::new(),
            seed,
            threads: 1,
            ahead: 2,
            way: Way::Mixed { slots: None },
            cache_bytes: DEFAULT_CACHE_BYTES,
        }
    }

    /// Whether a loader can follow the plan.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        let fault = |reason: String| Err(DataError::Plan(reason));
        if self.tasks.is_empty() {
            return fault("it has no task".to_string());
        }
        if !(1..=MAX_SIDE).contains(&self.size) {
            return fault(format!("the size is {}; expected 1 to {MAX_SIDE}", self.size));
        }
        if let Some(size) = self.sizes.iter().find(|size| !(1..=MAX_SIDE).contains(*size)) {
            return fault(format!("one of the sizes is {size}; expected 1 to {MAX_SIDE}"));
        }
        if !self.sizes.is_empty()
            && let Some(plain) = self.tasks.iter().find(|task| !task.augment)
        {
            let name = &plain.spec.name;
            return fault(format!("task {name:?} is not augmented and has no size but its own"));
        }
        let tasks = self.tasks.len();
        match &self.way {
            Way::Mixed { slots: Some(slots) } if !(1..=tasks).contains(slots) => {
                return fault(format!("{slots} slots for {tasks} tasks; expected 1 to {tasks}"));
            }
            Way::Alternating { order } if order.is_empty() => {
                return fault("the order of tasks is empty".to_string());
            }
            Way::Alternating { order } => {
                if let Some(task) = order.iter().find(|task| **task >= tasks) {
                    return fault(format!("the order names task {task} of {tasks}, from 0"));
                }
            }
            Way::Mixed { .. } => {}
        }
        self.tasks.iter().try_for_each(|task| task.check(self.size))
    }
}

impl TaskPlan {
    fn check(&self, size: u32) -> Result<(), DataError> {
        let name = &self.spec.name;
        let fault = |reason: String| Err(DataError::Plan(format!("task {name:?}: {reason}")));
        if self.examples.is_empty() {
            return fault("it has no examples".to_string());
        }
        if self.per_batch == 0 {
            return fault("it has no image in a batch; expected 1 or more".to_string());
        }
        if self.views == 0 || !self.per_batch.is_multiple_of(self.views) {
            let (images, views) = (self.per_batch, self.views);
            return fault(format!("{images} images in a batch are no multiple of {views} views"));
        }
        if self.views > 1 && !self.augment {
            return fault("views of one image differ by augmentation, and it has none".to_string());
        }
        self.extra.check().or_else(fault)?;
        let own = self.spec.presentation.size();
        if own != size {
            return fault(format!("its presentation has the size {own}, the batch {size}"));
        }
        if let Presentation::Tiles { size, long_side, overlap } = self.spec.presentation
            && (overlap >= size || !(1..=MAX_SIDE).contains(&long_side))
        {
            return fault(format!(
                "tiles of {size} with overlap {overlap} at a longer side of {long_side}; expected \
                 overlap < size and a longer side of 1 to {MAX_SIDE}"
            ));
        }
        if self.balance && self.spec.kind != TaskKind::Classification {
            return fault("only classification can be balanced by class".to_string());
        }
        let classes = self.spec.classes.len();
        for example in &self.examples {
            let fits = match (&example.target, self.spec.kind) {
                (Target::Class(class), TaskKind::Classification) => *class < classes,
                (Target::Mask(_), TaskKind::Segmentation) => true,
                (Target::Boxes(boxes), TaskKind::Detection) => {
                    boxes.iter().all(|found| (found[4] as usize) < classes)
                }
                _ => return Err(example.place.fault(RecordFault::Kind(self.spec.kind))),
            };
            if !fits || example.width == 0 || example.height == 0 {
                let id = &example.id;
                return fault(format!(
                    "example {id:?} has no size or a class of {classes} or more"
                ));
            }
        }
        Ok(())
    }
}

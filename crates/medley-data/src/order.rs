//! Which images are in the batch of a step: a function of the plan and the step.

use rand::seq::{SliceRandom, index};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::plan::{TaskPlan, Way};
use crate::records::Target;

/// What a stream of random numbers is for. Streams of different purposes share nothing.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// The order of a task's images in an epoch.
    Epoch = 1,
    /// The class and image of a balanced draw.
    Balance = 2,
    /// The tasks of a step.
    Slots = 3,
    /// The augmentation of a draw.
    Augment = 4,
    /// The splits of an imported data set.
    Split = 5,
    /// The side of a step's canvas.
    Size = 6,
    /// How much of which image is mixed into another.
    Mixup = 7,
}

/// The stream for a purpose and two numbers: the whole key is written down, so no two streams meet.
pub(crate) fn stream(seed: u64, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, a, b]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// One image of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    /// The item's place in its task.
    pub(crate) item: usize,
    /// How many images the task had drawn before, in all steps.
    pub(crate) draw: u64,
}

/// What one batch is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) step: u64,
    /// Tasks, in the order of the plan, with their images.
    pub(crate) parts: Vec<(usize, Vec<Pick>)>,
}

/// The order in which one task's items come.
struct TaskOrder {
    items: usize,
    per_batch: usize,
    views: u64,
    /// The items of each class that has any, if the task is balanced.
    classes: Option<Vec<Vec<usize>>>,
    drawn: u64,
    /// The current epoch and its order.
    epoch: Option<(u64, Vec<usize>)>,
}

/// Gives out one job after another.
pub(crate) struct Order {
    seed: u64,
    way: Way,
    tasks: Vec<TaskOrder>,
    step: u64,
}

impl Order {
    /// `items[t]` holds for every item of task t the place of its example; the plan is checked.
    pub(crate) fn new(seed: u64, way: Way, plans: &[TaskPlan], items: &[Vec<usize>]) -> Self {
        let tasks = plans.iter().zip(items).map(|(plan, items)| TaskOrder {
            items: items.len(),
            per_batch: plan.per_batch,
            views: plan.views as u64,
            classes: plan.balance.then(|| by_class(plan, items)),
            drawn: 0,
            epoch: None,
        });
        Self { seed, way, tasks: tasks.collect(), step: 0 }
    }

    /// Passes over all steps before this one. Only counting is needed: no image is touched.
    pub(crate) fn skip_to(&mut self, step: u64) {
        while self.step < step {
            for task in self.tasks_of_step() {
                let task = &mut self.tasks[task];
                task.drawn += task.per_batch as u64;
            }
            self.step += 1;
        }
    }

    /// The next step's job.
    pub(crate) fn next_job(&mut self) -> Job {
        let mut parts = Vec::new();
        for task in self.tasks_of_step() {
            let order = &mut self.tasks[task];
            parts.push((task, (0..order.per_batch).map(|_| order.pick(self.seed, task)).collect()));
        }
        let job = Job { step: self.step, parts };
        self.step += 1;
        job
    }

    fn tasks_of_step(&self) -> Vec<usize> {
        match &self.way {
            Way::Mixed { slots: None } => (0..self.tasks.len()).collect(),
            Way::Mixed { slots: Some(slots) } => {
                let mut rng = stream(self.seed, Purpose::Slots, self.step, 0);
                let mut tasks = index::sample(&mut rng, self.tasks.len(), *slots).into_vec();
                tasks.sort_unstable();
                tasks
            }
            Way::Alternating { order } => {
                vec![order[(self.step % order.len() as u64) as usize]]
            }
        }
    }
}

impl TaskOrder {
    fn pick(&mut self, seed: u64, task: usize) -> Pick {
        let draw = self.drawn;
        self.drawn += 1;
        // Views of one image share what is drawn here, and not how they are augmented.
        let image = draw / self.views;
        if let Some(classes) = &self.classes {
            let mut rng = stream(seed, Purpose::Balance, task as u64, image);
            let class = &classes[rng.random_range(0..classes.len())];
            return Pick { item: class[rng.random_range(0..class.len())], draw };
        }
        let (epoch, place) = (image / self.items as u64, (image % self.items as u64) as usize);
        let items = self.items;
        let current = self.epoch.take().filter(|(number, _)| *number == epoch);
        let (_, order) = self.epoch.insert(current.unwrap_or_else(|| {
            let mut order: Vec<usize> = (0..items).collect();
            order.shuffle(&mut stream(seed, Purpose::Epoch, task as u64, epoch));
            (epoch, order)
        }));
        Pick { item: order[place], draw }
    }
}

/// The items of each class that has any.
fn by_class(plan: &TaskPlan, items: &[usize]) -> Vec<Vec<usize>> {
    let mut classes = vec![Vec::new(); plan.spec.classes.len()];
    for (item, example) in items.iter().enumerate() {
        if let Target::Class(class) = plan.examples[*example].target {
            classes[class].push(item);
        }
    }
    classes.retain(|class| !class.is_empty());
    classes
}

//! Threads that make batches ahead of training, and the loader that hands them out in order.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use medley_infer::{Placement, placements};
use medley_package::{Presentation, TaskSpec};
use rand::seq::IndexedRandom;

use crate::augment::kept_size;
use crate::cache::{Cache, CacheBuilder, Slot};
use crate::error::DataError;
use crate::extra::draw_share;
use crate::modality::Augmentation;
use crate::order::{Job, Order, Pick, Purpose, stream};
use crate::plan::{LoaderPlan, TaskPlan};
use crate::sample::{MixedBatch, Part, Sample, SampleTarget};

type Outcome = (u64, Result<MixedBatch, DataError>);

/// Makes the batches of a plan, on threads of its own.
///
/// At most `ahead` batches are being made or wait to be taken. Dropping the loader stops its threads.
pub struct Loader {
    order: Order,
    /// Taken on drop, which tells the threads that nothing more comes.
    jobs: Option<Sender<Job>>,
    outcomes: Receiver<Outcome>,
    /// Batches that came before their turn.
    early: BTreeMap<u64, Result<MixedBatch, DataError>>,
    step: u64,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// One thing that a task can show: an example, or one window of it.
struct Item {
    example: usize,
    slot: Slot,
    /// Where it lies, if it is not augmented.
    placement: Option<Placement>,
}

/// What the threads share.
struct Workshop {
    tasks: Vec<TaskPlan>,
    items: Vec<Vec<Item>>,
    cache: Cache,
    size: u32,
    sizes: Vec<u32>,
    seed: u64,
}

impl Loader {
    /// Starts at step 0.
    ///
    /// # Errors
    ///
    /// [`DataError::Plan`] or [`DataError::Record`] for a plan that cannot be followed; [`DataError::Worker`] if the
    /// system gives no thread.
    pub fn start(plan: LoaderPlan) -> Result<Self, DataError> {
        Self::start_at(plan, 0)
    }

    /// Starts at a later step: the batches are those that a loader started at 0 gives from that step on.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn start_at(plan: LoaderPlan, step: u64) -> Result<Self, DataError> {
        plan.check()?;
        let mut cache = CacheBuilder::default();
        let items: Vec<Vec<Item>> =
            plan.tasks.iter().map(|task| items_of(task, &mut cache)).collect();
        let examples: Vec<Vec<usize>> =
            items.iter().map(|items| items.iter().map(|item| item.example).collect()).collect();
        let mut order = Order::new(plan.seed, plan.way, &plan.tasks, &examples);
        order.skip_to(step);

        let ahead = plan.ahead.max(1);
        // As many jobs as are sent are ever in a channel, so neither side waits for room.
        let (jobs, job_list) = bounded(ahead);
        let (outcome_list, outcomes) = bounded(ahead);
        let workshop = Arc::new(Workshop {
            tasks: plan.tasks,
            items,
            cache: cache.build(plan.cache_bytes),
            size: plan.size,
            sizes: plan.sizes,
            seed: plan.seed,
        });
        let stop = Arc::new(AtomicBool::new(false));
        let mut loader = Self {
            order,
            jobs: Some(jobs),
            outcomes,
            early: BTreeMap::new(),
            step,
            stop: stop.clone(),
            threads: Vec::new(),
        };
        for index in 0..plan.threads.max(1) {
            let (workshop, stop) = (workshop.clone(), stop.clone());
            let (job_list, outcome_list) = (job_list.clone(), outcome_list.clone());
            let thread = thread::Builder::new()
                .name(format!("medley-loader-{index}"))
                .spawn(move || work(&workshop, &stop, &job_list, &outcome_list))
                .map_err(|error| DataError::Worker(error.to_string()))?;
            loader.threads.push(thread);
        }
        for _ in 0..ahead {
            loader.send_job()?;
        }
        Ok(loader)
    }

    /// The next step's batch; waits until it is made. Batches never end: every task starts its next epoch by itself.
    ///
    /// # Errors
    ///
    /// The first bad record of the batch, or [`DataError::Worker`]. The loader then goes on with the step after.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator that never ends would only wrap it in Some"
    )]
    pub fn next(&mut self) -> Result<MixedBatch, DataError> {
        let outcome = loop {
            if let Some(outcome) = self.early.remove(&self.step) {
                break outcome;
            }
            let (step, outcome) = self
                .outcomes
                .recv()
                .map_err(|_| DataError::Worker("all threads have stopped".to_string()))?;
            self.early.insert(step, outcome);
        };
        self.step += 1;
        self.send_job()?;
        outcome
    }

    /// The step of the batch that [`Self::next`] gives.
    pub fn step(&self) -> u64 {
        self.step
    }

    fn send_job(&mut self) -> Result<(), DataError> {
        let job = self.order.next_job();
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if sent { Ok(()) } else { Err(DataError::Worker("all threads have stopped".to_string())) }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread catches its own panics; there is nothing left to report.
            let _ = thread.join();
        }
    }
}

/// What a task can show, with a slot of the cache for each.
fn items_of(task: &TaskPlan, cache: &mut CacheBuilder) -> Vec<Item> {
    let mut items = Vec::new();
    for (index, example) in task.examples.iter().enumerate() {
        let (width, height) = (example.width, example.height);
        if task.augment {
            let slot = cache.slot(example, kept_size(width, height, &task.spec.presentation));
            items.push(Item { example: index, slot, placement: None });
        } else {
            for placement in placements(width, height, &task.spec.presentation) {
                let slot = cache.slot(example, placement.scaled);
                items.push(Item { example: index, slot, placement: Some(placement) });
            }
        }
    }
    items
}

/// A thread's life: make batches until nothing more comes.
fn work(shop: &Workshop, stop: &AtomicBool, jobs: &Receiver<Job>, outcomes: &Sender<Outcome>) {
    for job in jobs {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let step = job.step;
        let outcome =
            catch_unwind(AssertUnwindSafe(|| shop.batch(job, stop))).unwrap_or_else(|_| {
                Err(DataError::Worker(format!("it panicked while making the batch of step {step}")))
            });
        if outcomes.send((step, outcome)).is_err() {
            return;
        }
    }
}

impl Workshop {
    fn batch(&self, job: Job, stop: &AtomicBool) -> Result<MixedBatch, DataError> {
        let n = job.parts.iter().map(|(_, picks)| picks.len()).sum();
        let side = self.side(job.step);
        let size = side as usize;
        let mut pixels = Vec::with_capacity(n * 3 * size * size);
        let mut parts = Vec::with_capacity(job.parts.len());
        let mut first = 0;
        for (task, picks) in job.parts {
            let range = first..first + picks.len();
            first = range.end;
            let plan = &self.tasks[task];
            let spec =
                TaskSpec { presentation: sized(plan.spec.presentation, side), ..plan.spec.clone() };
            let mut samples = Vec::with_capacity(picks.len());
            for pick in picks {
                if stop.load(Ordering::Relaxed) {
                    return Err(DataError::Worker("the loader was dropped".to_string()));
                }
                samples.push(self.sample(task, &spec, pick)?);
            }
            let alpha = plan.extra.of(spec.kind).mixup;
            if plan.augment && alpha > 0.0 {
                let mut rng = stream(self.seed, Purpose::Mixup, task as u64, job.step);
                samples = mixed(&samples, draw_share(alpha, &mut rng));
            }
            let mut targets = Vec::with_capacity(samples.len());
            for sample in samples {
                pixels.extend_from_slice(&sample.pixels);
                targets.push(sample.target);
            }
            parts.push(Part { task, range, targets });
        }
        Ok(MixedBatch { pixels, n, size, parts, step: job.step })
    }

    /// The side of a step's canvas.
    fn side(&self, step: u64) -> u32 {
        let mut rng = stream(self.seed, Purpose::Size, step, 0);
        self.sizes.choose(&mut rng).copied().unwrap_or(self.size)
    }

    fn sample(&self, task: usize, spec: &TaskSpec, pick: Pick) -> Result<Sample, DataError> {
        let item = &self.items[task][pick.item];
        let plan = &self.tasks[task];
        let example = &plan.examples[item.example];
        let picture = self.cache.picture(example, item.slot)?;
        let mask = self.cache.mask(example, item.slot, plan.spec.classes.len())?;
        let mask = mask.as_ref().map(|mask| mask.as_slice());
        Ok(match &item.placement {
            Some(placement) => Sample::placed(example, spec, &picture, mask, placement),
            None => {
                let limits = Augmentation::of(plan.anatomy, plan.spec.kind).scaled(plan.strength);
                let mut rng = stream(self.seed, Purpose::Augment, task as u64, pick.draw);
                let limits = (&limits, &plan.extra);
                Sample::augmented(example, spec, &picture, mask, limits, &mut rng)
            }
        })
    }
}

/// The same way of showing a picture on a canvas of another side.
fn sized(presentation: Presentation, side: u32) -> Presentation {
    match presentation {
        Presentation::Whole { .. } => Presentation::Whole { size: side },
        Presentation::Tiles { long_side, overlap, .. } => {
            Presentation::Tiles { size: side, long_side, overlap: overlap.min(side / 2) }
        }
    }
}

/// Mixes into each image the one half the batch away, which no other view of it is.
fn mixed(samples: &[Sample], share: f32) -> Vec<Sample> {
    let half = samples.len() / 2;
    let class = |sample: &Sample| match sample.target {
        SampleTarget::Class(class) => Some(class),
        _ => None,
    };
    let mix = |(at, sample): (usize, &Sample)| {
        let partner = &samples[(at + half) % samples.len()];
        let (Some(own), Some(other)) = (class(sample), class(partner)) else {
            return sample.clone();
        };
        let pixels = sample.pixels.iter().zip(&partner.pixels);
        Sample {
            pixels: pixels.map(|(own, other)| own + (other - own) * share).collect(),
            target: SampleTarget::Mixture { own, other, share },
        }
    };
    samples.iter().enumerate().map(mix).collect()
}

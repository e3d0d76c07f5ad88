//! Whether a device computes what the processor computes: the optimizer, losses, gradients and a short training.
//!
//! GPUs round otherwise, add in another order and, with tensor cores, multiply with fewer digits. What must not happen is
//! a kernel that is wrong. Both show on the same weights and the same drawn batch: roundings stay below the
//! tolerances here, a wrong kernel does not.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use medley_data::{MixedBatch, Part, SampleTarget};
use medley_kernels::AdamWStep;
use medley_model::MedleyModel;
use medley_package::{Presentation, TaskKind, TaskSpec};

use crate::config::Variant;
use crate::error::TrainError;
use crate::exchange::{Member, flat, has_collectives};
use crate::optimizer::adamw;
use crate::replica::draw;
use crate::step::{floats, losses};

/// Both families of encoders, which [`agreement`] compares; a small Swin has all of a large one's operations.
pub const COMPARED_VARIANTS: [Variant; 2] = [Variant::Nano, Variant::SwinMicro];

/// Side of the drawn pictures, in pixels; two windows of Swin on a side at stride 4.
const SIDE: usize = 64;

/// Pictures of each task.
const EACH: usize = 4;

/// Relative difference of a loss. TF32 keeps 10 bits of each factor, 1e-3, and sums of many average that out.
const LOSS_TOLERANCE: f32 = 2e-3;

/// Norm of a gradient's difference against its own norm: every layer on the way back adds its roundings. An H100 with TF32 was
/// off by 3.8e-2 at worst; a wrong kernel is by about 1.
const GRADIENT_TOLERANCE: f32 = 1e-1;

/// Gradients below this share of the largest are roundings themselves: the bias ahead of a normalisation has none.
const NO_GRADIENT: f32 = 1e-4;

/// Norm of a difference after a few steps of the optimizer against how far they moved: no product of matrices is in them, so
/// that they are roundings of f32 alone, which the root of a small second moment magnifies.
const OPTIMIZER_TOLERANCE: f32 = 1e-4;

/// Steps of the short training, of which the last ten are compared.
const STEPS: usize = 50;
const COMPARED: usize = 10;
const RATE: f64 = 1e-3;

/// Mean loss of the last steps, relative: trajectories part slowly, and a training that fails stays far above.
const CURVE_TOLERANCE: f32 = 0.1;

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// The encoder, or the optimizer.
    pub variant: &'static str,
    /// What was compared.
    pub what: String,
    /// The processor's value: a loss, or the norm of a gradient.
    pub expected: f32,
    /// The relative difference; infinite if the device answers with no number.
    pub difference: f32,
    /// What it may be at most.
    pub tolerance: f32,
}

impl Agreement {
    /// Whether the device may be trusted in this.
    pub fn holds(&self) -> bool {
        self.difference <= self.tolerance
    }
}

/// Compares `device`, which is without autodiff, with the processor: the optimizer, the exchange of gradients where NCCL is
/// there, then models of these variants. `heard`: each comparison as soon as it is made.
///
/// # Errors
/// A device that does not answer.
pub fn agreement(
    device: &Device,
    variants: &[Variant],
    heard: &mut dyn FnMut(&Agreement),
) -> Result<(), TrainError> {
    for shape in [[3, 5], [300, 700]] {
        heard(&optimizer(shape, device)?);
    }
    if has_collectives(device) {
        heard(&exchange(device)?);
    }
    variants.iter().try_for_each(|&variant| compare(variant, device, heard))
}

fn compare(
    variant: Variant,
    device: &Device,
    heard: &mut dyn FnMut(&Agreement),
) -> Result<(), TrainError> {
    let cpu = Device::flex();
    let name = variant.name();
    let tasks = tasks();
    let model = first_weights(variant, &tasks, &cpu)?;
    for task in 0..tasks.len() {
        let batch = batch(&[task]);
        let ours = gradients(&model, &tasks, &batch, &cpu)?;
        let theirs = gradients(&model, &tasks, &batch, device)?;
        let of = &tasks[task].name;
        heard(&Agreement {
            variant: name,
            what: format!("loss of {of}"),
            expected: ours.loss,
            difference: relative(theirs.loss - ours.loss, ours.loss),
            tolerance: LOSS_TOLERANCE,
        });
        heard(&worst(name, of, &ours, &theirs));
    }
    let ours = curve(&model, &tasks, &cpu)?;
    let theirs = curve(&model, &tasks, device)?;
    heard(&Agreement {
        variant: name,
        what: format!("loss after {STEPS} steps"),
        expected: ours,
        difference: relative(theirs - ours, ours),
        tolerance: CURVE_TOLERANCE,
    });
    Ok(())
}

/// Three steps of the optimizer and of the moving average on a weight of this shape.
fn optimizer(shape: [usize; 2], device: &Device) -> Result<Agreement, TrainError> {
    let drawn = |seed: usize| {
        let values = (0..shape[0] * shape[1]).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32);
        TensorData::new(values.map(|value| value / 504.0 - 1.0).collect(), shape)
    };
    let run = |device: &Device| -> Result<[Vec<f32>; 2], TrainError> {
        let tensor = |seed| Tensor::<2>::from_data(drawn(seed), device);
        let (mut weight, mut average) = (tensor(0), tensor(1));
        let mut moments = [weight.zeros_like(), weight.zeros_like()];
        for time in 1..=3 {
            let step = AdamWStep {
                learning_rate: RATE,
                weight_decay: 0.05,
                betas: [0.9, 0.999],
                epsilon: 1e-8,
                // Below the norm of the larger gradient, above that of the smaller.
                clip: 10.0,
                time,
            };
            // Read across its rows: a gradient is often the view of another tensor.
            let gradient =
                Tensor::<2>::from_data(drawn(time + 1), device).reshape([shape[1], shape[0]]);
            (weight, moments) = medley_kernels::adamw(weight, gradient.transpose(), moments, step);
            average = medley_kernels::towards(average, weight.clone(), 0.75);
        }
        let moved = weight - tensor(0);
        Ok([floats(moved)?, floats(average)?])
    };
    let (ours, theirs) = (run(&Device::flex())?, run(device)?);
    let norm = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
    let apart = |ours: &[f32], theirs: &[f32]| {
        let apart: Vec<f32> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
        relative(norm(&apart), norm(ours))
    };
    Ok(Agreement {
        variant: "optimizer",
        what: format!("three steps of {} × {} weights and their average", shape[0], shape[1]),
        expected: norm(&ours[0]),
        difference: apart(&ours[0], &theirs[0]).max(apart(&ours[1], &theirs[1])),
        tolerance: OPTIMIZER_TOLERANCE,
    })
}

/// The mean of one device's gradients by NCCL: they come back as they were.
fn exchange(device: &Device) -> Result<Agreement, TrainError> {
    let tasks = tasks();
    let model = first_weights(Variant::Micro, &tasks, &Device::flex())?;
    let autodiff = device.clone().autodiff();
    let model = model.to_device(device).train();
    let batch = batch(&[0, 1, 2]);
    let mut total = Tensor::<1>::zeros([1], &autodiff);
    for task in losses(&model, &tasks, &batch, &autodiff)? {
        total = total + task.loss;
    }
    let gradients = GradientsParams::from_grads(total.backward(), &model);
    let read = |gradients: &GradientsParams| flat(gradients, &model).map_or(Ok(Vec::new()), floats);
    let before = read(&gradients)?;
    let members = Member::of_all(std::slice::from_ref(device));
    let after = match members.first() {
        Some(member) => read(&member.mean(gradients, &model)?)?,
        None => Vec::new(),
    };
    let apart = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let largest = before.iter().map(|value| value.abs()).fold(0.0, f32::max);
    Ok(Agreement {
        variant: "NCCL",
        what: format!("mean of {} gradients of one device", before.len()),
        expected: largest,
        difference: if before.len() == after.len() {
            relative(apart, largest)
        } else {
            f32::INFINITY
        },
        tolerance: 0.0,
    })
}

/// Not a number counts as infinitely far.
fn relative(difference: f32, expected: f32) -> f32 {
    let found = difference.abs() / expected.abs().max(f32::MIN_POSITIVE);
    if found.is_nan() { f32::INFINITY } else { found }
}

fn tasks() -> Vec<TaskSpec> {
    let task = |name: &str, kind, classes: &[&str]| TaskSpec {
        name: name.into(),
        kind,
        classes: classes.iter().map(ToString::to_string).collect(),
        multi_label: false,
        modality: "drawn".into(),
        presentation: Presentation::Whole { size: SIDE as u32 },
    };
    vec![
        task("shape", TaskKind::Classification, &["disc", "square"]),
        task("area", TaskKind::Segmentation, &["background", "shape"]),
        task("where", TaskKind::Detection, &["disc", "square"]),
    ]
}

/// Weights on the processor, all of them drawn, without dropout: devices draw differently.
fn first_weights(
    variant: Variant,
    tasks: &[TaskSpec],
    cpu: &Device,
) -> Result<MedleyModel, TrainError> {
    cpu.seed(1);
    let model = variant.model(tasks).init(cpu)?.without_dropout();
    draw(&model);
    Ok(model)
}

/// Discs and squares, brighter than their ground, of the tasks in turn.
fn batch(of: &[usize]) -> MixedBatch {
    let n = of.len() * EACH;
    let mut pixels = vec![0.0; n * 3 * SIDE * SIDE];
    let mut parts = Vec::new();
    for (place, &task) in of.iter().enumerate() {
        let range = place * EACH..(place + 1) * EACH;
        let targets = range
            .clone()
            .map(|image| {
                let square = image % 2 == 1;
                let radius = 8.0 + 3.0 * (image % 4) as f32;
                let (cx, cy) = (20.0 + 7.0 * (image % 4) as f32, 40.0 - 5.0 * (image % 3) as f32);
                let inside = |x: usize, y: usize| {
                    let (dx, dy) = ((x as f32 + 0.5 - cx).abs(), (y as f32 + 0.5 - cy).abs());
                    if square { dx.max(dy) < radius } else { dx.hypot(dy) < radius }
                };
                let own = &mut pixels[image * 3 * SIDE * SIDE..][..3 * SIDE * SIDE];
                for (index, value) in own.iter_mut().enumerate() {
                    let (x, y) = (index % SIDE, index / SIDE % SIDE);
                    // A slope and a fine grain, so that no feature stands still.
                    let grain =
                        0.1 * ((x * 7 + y * 13 + index / (SIDE * SIDE) * 5) % 11) as f32 / 11.0;
                    let ground = 0.2 + 0.2 * x as f32 / SIDE as f32;
                    *value = if inside(x, y) { 0.7 } else { ground } + grain;
                }
                match task {
                    0 => SampleTarget::Class(usize::from(square)),
                    1 => SampleTarget::Mask(
                        (0..SIDE * SIDE).map(|i| u8::from(inside(i % SIDE, i / SIDE))).collect(),
                    ),
                    _ => {
                        let class = f32::from(u8::from(square));
                        SampleTarget::Boxes(vec![[
                            cx - radius,
                            cy - radius,
                            cx + radius,
                            cy + radius,
                            class,
                        ]])
                    }
                }
            })
            .collect();
        parts.push(Part { task, range, targets });
    }
    MixedBatch { pixels, n, size: SIDE, parts, step: 0 }
}

struct Found {
    loss: f32,
    /// By path of the parameter.
    gradients: Vec<(String, Vec<f32>)>,
}

fn gradients(
    model: &MedleyModel,
    tasks: &[TaskSpec],
    batch: &MixedBatch,
    device: &Device,
) -> Result<Found, TrainError> {
    let device = device.clone().autodiff();
    let model = model.clone().to_device(&device.clone().inner()).train();
    let mut loss = 0.0;
    let mut found = Vec::new();
    if let Some(task) = losses(&model, tasks, batch, &device)?.into_iter().next() {
        loss = task.value()?;
        let all = GradientsParams::from_grads(task.loss.backward(), &model);
        let mut walk = Gradients { path: Vec::new(), all: &all, found: Vec::new() };
        model.visit(&mut walk);
        found = walk.found;
    }
    Ok(Found { loss, gradients: found })
}

/// The gradient that differs most.
fn worst(variant: &'static str, task: &str, ours: &Found, theirs: &Found) -> Agreement {
    let norm = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
    let largest = ours.gradients.iter().map(|(_, own)| norm(own)).fold(0.0, f32::max);
    let mut worst = Agreement {
        variant,
        what: format!("gradients of {task}"),
        expected: largest,
        difference: 0.0,
        tolerance: GRADIENT_TOLERANCE,
    };
    for (path, own) in &ours.gradients {
        let size = norm(own).max(NO_GRADIENT * largest);
        let other = theirs.gradients.iter().find(|(other, _)| other == path);
        let difference = other.filter(|(_, other)| other.len() == own.len()).map_or(
            f32::INFINITY,
            |(_, other)| {
                let apart: Vec<f32> = own.iter().zip(other).map(|(a, b)| a - b).collect();
                relative(norm(&apart), size)
            },
        );
        if difference > worst.difference {
            worst.difference = difference;
            worst.what = format!("gradients of {task}, worst: {path}");
            worst.expected = norm(own);
        }
    }
    worst
}

/// Mean loss of the last steps of a short training on one mixed batch.
fn curve(model: &MedleyModel, tasks: &[TaskSpec], device: &Device) -> Result<f32, TrainError> {
    let device = device.clone().autodiff();
    let mut model = model.clone().to_device(&device.clone().inner()).train();
    let all: Vec<usize> = (0..tasks.len()).collect();
    let batch = batch(&all);
    let mut optimizer = adamw(0.05, 1.0);
    let mut sum = 0.0;
    for step in 0..STEPS {
        let mut total = Tensor::<1>::zeros([1], &device);
        for task in losses(&model, tasks, &batch, &device)? {
            total = total + task.loss / tasks.len() as f64;
        }
        if step >= STEPS - COMPARED {
            let value = total.clone().detach().try_into_scalar::<f32>();
            sum += value.map_err(|error| TrainError::Device(format!("{error:?}")))?;
        }
        let gradients = GradientsParams::from_grads(total.backward(), &model);
        model = optimizer.step(RATE, model, gradients);
    }
    Ok(sum / COMPARED as f32)
}

/// Collects the gradients of a model's parameters.
struct Gradients<'a> {
    path: Vec<String>,
    all: &'a GradientsParams,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for Gradients<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.all.get::<D>(param.id) {
            let values = gradient.into_data().try_into_vec_as::<f32>().unwrap_or_default();
            self.found.push((self.path.join("."), values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_agrees_with_itself() {
        let _alone = crate::alone::alone();
        let mut all = Vec::new();
        // The same family as nano, in a second.
        compare(Variant::Micro, &Device::flex(), &mut |found| all.push(found.clone())).unwrap();
        assert_eq!(all.len(), 3 * 2 + 1);
        for found in &all {
            // Threads add in one order here: the same numbers, bit by bit.
            assert!(found.holds() && found.difference < 1e-5, "{found:?}");
            assert!(found.expected > 0.0, "{found:?}");
        }
    }

    #[test]
    fn wrong_gradients_and_lost_numbers_are_noticed() {
        let found = |values: &[f32]| Found {
            loss: 1.0,
            gradients: vec![("a.weight".into(), values.to_vec())],
        };
        let right = found(&[1.0, 2.0]);
        assert!(worst("nano", "t", &right, &found(&[1.001, 2.0])).holds());
        let wrong = worst("nano", "t", &right, &found(&[1.0, -2.0]));
        assert!(!wrong.holds() && wrong.what.contains("a.weight"), "{wrong:?}");
        assert!(!worst("nano", "t", &right, &found(&[1.0, f32::NAN])).holds());
        assert!(!worst("nano", "t", &right, &Found { loss: 1.0, gradients: vec![] }).holds());
        assert_eq!(relative(f32::NAN, 1.0), f32::INFINITY);
    }
}

//! The Swin V2 encoder against torchvision's, on the same weights and images.
//!
//! `tests/fixtures/swin_v2_micro.safetensors` holds random weights of the micro size, three images
//! and what torchvision computed for them: every stage, the pooled embedding and the logits.
//!
//! Built with the feature `cuda` the same is asked of the first card:
//! `cargo test --package medley-model --features cuda --test swin_parity`.

// Helpers of tests fail like tests; the lint's exception covers only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use medley_model::{SwinConfig, SwinEncoder, torchvision_name};
use safetensors::SafeTensors;

/// Both sides compute in f32, in another order; values reach 8, so this is some hundred roundings.
///
/// Calibrated with a float64 computation of the same network against the stored answers: it
/// differs from them by 7e-5 at most (all but [`ILL_CONDITIONED`]). The least of the mistakes
/// tried in it (1e-6 for the norms' epsilon) shows as 1.2e-4 and more in square.stage1 to 3; the
/// approximate GELU as 1.5e-3, a wrong mask, shift, bias or order of channels as 0.4 and more.
///
/// A card multiplies in TF32, whose factors have 10 bits for 23: roundings are larger by up to 2¹³ (an H200 was off by 0.1 at
/// most). What is left to be seen there is what shows as 0.4 and more.
const TOLERANCE: f32 = if cfg!(feature = "cuda") { 0.2 } else { 1e-4 };

/// Stages where most tokens share their window with padding. Some of what their norms read has a
/// variance of 0.02, which magnifies roundings: torchvision's stored f32 answers themselves differ
/// from float64 by 7.9e-5 (stage3) and 1.7e-4 (stage4), plain numpy in f32 by 5.7e-4. The
/// least mistake shows there as 2e-2.
const ILL_CONDITIONED: [&str; 2] = ["padded.stage3", "padded.stage4"];

/// Three times the error of the stored answers, a fortieth of the least mistake's; on a card, which was off by 0.3, three times
/// that.
const ILL_CONDITIONED_TOLERANCE: f32 = if cfg!(feature = "cuda") { 1.0 } else { 5e-4 };

fn tolerance(stage: &str) -> f32 {
    if ILL_CONDITIONED.contains(&stage) { ILL_CONDITIONED_TOLERANCE } else { TOLERANCE }
}

fn device() -> Device {
    #[cfg(feature = "cuda")]
    return medley_model::cuda(0);
    #[cfg(not(feature = "cuda"))]
    Device::flex()
}

fn golden() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/swin_v2_micro.safetensors");
    std::fs::read(path).unwrap()
}

fn tensor<const D: usize>(file: &SafeTensors<'_>, name: &str, device: &Device) -> Tensor<D> {
    let view = file.tensor(name).unwrap();
    assert_eq!(view.dtype(), safetensors::Dtype::F32, "{name}");
    let values: Vec<f32> =
        view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Tensor::from_data(TensorData::new(values, view.shape().to_vec()), device)
}

/// Puts torchvision's weights into the parameters of an encoder.
struct Import<'a> {
    file: &'a SafeTensors<'a>,
    device: &'a Device,
    path: Vec<String>,
    used: BTreeSet<String>,
}

impl ModuleMapper for Import<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        let name = torchvision_name(&path).unwrap_or_else(|| panic!("no name for {path}"));
        let stored = tensor::<D>(self.file, &format!("weight.{name}"), self.device);
        let stored = if D == 2 { stored.transpose() } else { stored };
        self.used.insert(name);
        param.map(|initial| {
            assert_eq!(initial.dims(), stored.dims(), "{path}");
            stored
        })
    }
}

fn load(file: &SafeTensors<'_>, device: &Device) -> (SwinEncoder, BTreeSet<String>) {
    let mut import = Import { file, device, path: Vec::new(), used: BTreeSet::new() };
    let encoder = SwinConfig::micro().init(device).map(&mut import);
    (encoder, import.used)
}

fn worst<const D: usize>(found: Tensor<D>, expected: Tensor<D>) -> f32 {
    assert_eq!(found.dims(), expected.dims());
    (found - expected).abs().max().into_scalar::<f32>()
}

fn stages_agree(case: &str) {
    let device = device();
    let bytes = golden();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (mut encoder, _) = load(&file, &device);
    let image = tensor::<4>(&file, &format!("{case}.input"), &device);

    let plain = encoder.forward(image.clone());
    encoder.prepare();
    let prepared = encoder.forward(image);
    let ways = [
        ("plain", plain),
        ("prepared", prepared),
        #[cfg(feature = "train")]
        ("in training", in_training(&file, case)),
    ];
    for (way, stages) in ways {
        for (index, found) in stages.into_iter().enumerate() {
            let name = format!("{case}.stage{}", index + 1);
            let expected = tensor::<4>(&file, &name, &device);
            let limit = tolerance(&name);
            let error = worst(found, expected);
            println!("{name}, {way}: worst error {error:.1e}");
            assert!(error < limit, "{name}, {way}: worst error {error:.1e}, limit {limit:.0e}");
        }
    }
}

/// The stages on a device with gradients, where layers are laid out in another way.
#[cfg(feature = "train")]
fn in_training(file: &SafeTensors<'_>, case: &str) -> [Tensor<4>; 4] {
    let device = device().autodiff();
    let (encoder, _) = load(file, &device);
    encoder.forward(tensor(file, &format!("{case}.input"), &device)).map(Tensor::inner)
}

#[test]
fn stages_of_a_square_image_agree() {
    stages_agree("square");
}

#[test]
fn stages_of_an_image_that_needs_padding_agree() {
    stages_agree("padded");
}

#[test]
fn stages_of_an_image_smaller_than_the_windows_agree() {
    stages_agree("small");
}

#[test]
fn the_stored_last_norm_gives_the_pooled_embedding_and_the_logits() {
    let device = device();
    let bytes = golden();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (encoder, _) = load(&file, &device);
    for case in ["square", "padded", "small"] {
        let [.., last] = encoder.forward(tensor(&file, &format!("{case}.input"), &device));
        let normed: Tensor<4> = encoder.norm.forward(last.permute([0, 2, 3, 1]));
        let pooled = normed.flatten::<3>(1, 2).mean_dim(1).squeeze_dim::<2>(1);
        let weight = tensor::<2>(&file, "weight.head.weight", &device).transpose();
        let bias = tensor::<1>(&file, "weight.head.bias", &device).unsqueeze();
        let logits = pooled.clone().matmul(weight) + bias;

        let pooled = worst(pooled, tensor(&file, &format!("{case}.pooled"), &device));
        let logits = worst(logits, tensor(&file, &format!("{case}.logits"), &device));
        println!("{case}: pooled {pooled:.1e}, logits {logits:.1e}");
        assert!(pooled < TOLERANCE && logits < TOLERANCE, "{case}: {pooled:.1e}, {logits:.1e}");
    }
}

#[test]
fn images_of_a_batch_do_not_influence_each_other() {
    let device = device();
    let bytes = golden();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (encoder, _) = load(&file, &device);
    let image = tensor::<4>(&file, "padded.input", &device);
    let other = image.clone().flip([3]);
    let batch = encoder.forward(Tensor::cat(vec![other.clone(), image.clone()], 0));
    let alone = encoder.forward(image).into_iter().zip(encoder.forward(other));
    for (batch, (image, other)) in batch.into_iter().zip(alone) {
        let error = worst(batch, Tensor::cat(vec![other, image], 0));
        // Matrix products of another size may be summed in another order.
        assert!(error < ILL_CONDITIONED_TOLERANCE, "worst error {error:.1e}");
    }
}

#[test]
fn every_stored_weight_has_one_place() {
    let bytes = golden();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, used) = load(&file, &device());
    // The head belongs to a task; tables and indices are computed.
    let elsewhere = ["head.", "relative_coords_table", "relative_position_index"];
    let expected: BTreeSet<String> = file
        .names()
        .iter()
        .filter_map(|name| name.strip_prefix("weight."))
        .filter(|name| !elsewhere.iter().any(|part| name.contains(part)))
        .map(str::to_owned)
        .collect();
    assert_eq!(used, expected);
}

#[cfg(feature = "train")]
#[test]
fn gradients_of_a_padded_image_are_finite_and_reach_the_position_bias() {
    // Padding makes keys that are exactly zero, whose length has no gradient of its own.
    let device = device().autodiff();
    let encoder = SwinConfig::micro().init(&device);
    let image =
        Tensor::<4>::random([1, 3, 72, 40], burn::tensor::Distribution::Uniform(0.0, 1.0), &device);
    let [.., last] = encoder.forward(image);
    let gradients = last.square().mean().backward();

    struct Check<'a> {
        gradients: &'a burn::tensor::Gradients,
        path: Vec<String>,
        without: Vec<String>,
    }
    impl burn::module::ModuleVisitor for Check<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let path = self.path.join(".");
            let Some(gradient) = param.val().grad(self.gradients) else {
                self.without.push(path);
                return;
            };
            let largest = gradient.abs().max().into_scalar::<f32>();
            assert!(largest.is_finite(), "{path}: gradient {largest}");
            if path.contains("cpb_mlp") && path.contains("stages.0") {
                assert!(largest > 0.0, "{path}: no gradient");
            }
        }
    }
    let mut check = Check { gradients: &gradients, path: Vec::new(), without: Vec::new() };
    encoder.visit(&mut check);
    assert_eq!(check.without, ["norm.gamma", "norm.beta"], "only the unused norm has none");
}

/// Adds to each parameter `step` times its gradient over the root of the gradient's mean square, so that all parameters weigh
/// about the same; collects the slope in that direction.
#[cfg(feature = "train")]
struct Along<'a> {
    gradients: &'a burn::tensor::Gradients,
    only: &'static str,
    step: f64,
    path: Vec<String>,
    slope: f64,
}

#[cfg(feature = "train")]
impl ModuleMapper for Along<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.path.join(".").contains(self.only) {
            return param;
        }
        let Some(gradient) = param.val().grad(self.gradients) else { return param };
        let size = gradient.clone().square().mean().into_scalar::<f32>().sqrt();
        self.slope += gradient.clone().square().sum().into_scalar::<f32>() as f64 / size as f64;
        let step = self.step / size as f64;
        param.map(|value| Tensor::from_inner(value.inner() + gradient * step).require_grad())
    }
}

#[cfg(feature = "train")]
#[test]
fn gradients_in_training_are_the_slopes_of_the_plain_forward_pass() {
    // On the processor: a slope between two points so near would be the roundings of a card.
    let device = Device::flex().autodiff();
    let bytes = golden();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    // Two maps of several windows each. Not the padded ones, whose least variances make everything behind them steep.
    let image = tensor::<4>(&file, "square.input", &device);
    let image = Tensor::cat(vec![image.clone(), image.flip([3])], 0);
    let (encoder, _) = load(&file, &device);
    let encoder = encoder.train();
    let loss = |stages: [Tensor<4>; 4]| {
        // Uneven weights: what a norm gives has the same mean square everywhere.
        let [a, b, c, d] = stages.map(|stage| {
            let device = stage.device();
            let count = stage.shape().num_elements() as i64;
            let factors = Tensor::<1, burn::tensor::Int>::arange(0..count, &device).float() * 0.7;
            (stage.clone() * factors.sin().reshape(stage.dims())).mean()
        });
        a + b + c + d
    };
    let gradients = loss(encoder.forward(image.clone())).backward();
    for only in [
        "patch_embed.proj",
        "norm1",
        "norm2",
        "qkv",
        "attn.proj",
        "logit_scale",
        "cpb_mlp",
        "mlp.fc1",
        "mlp.fc2",
        "reduction",
    ] {
        let along = |step: f64| {
            let mut along =
                Along { gradients: &gradients, only, step, path: Vec::new(), slope: 0.0 };
            let moved = encoder.clone().map(&mut along).valid();
            (loss(moved.forward(image.clone().inner())).into_scalar::<f32>() as f64, along.slope)
        };
        // Far enough that the roundings of a loss near one do not show, near enough that it is straight.
        let step = 1e-4;
        let ((above, slope), (below, _)) = (along(step), along(-step));
        let found = (above - below) / (2.0 * step);
        println!("{only}: slope {found:.4}, by gradients {slope:.4}");
        assert!(
            (found - slope).abs() < 0.05 * slope,
            "{only}: slope {found}, by gradients {slope}"
        );
    }
}

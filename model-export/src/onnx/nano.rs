//! The convolutional model's way from an image to its outputs, as nodes. It follows `medley-model` line by line; its answers are
//! compared with those of the package's self-test by an engine that nobody here wrote.

use medley_model::{
    BlockKind, EncoderConfig, HeadKind, LEAST_VARIANCE, MAX_EXPONENT, ModelConfig, NanoConfig,
    NormKind, STRIDES, TOWER_GROUPS,
};
use medley_package::Package;

use super::graph::{Graph, Value, float, int, ints, text};
use crate::error::ExportError;

/// Added to the variance of a group normalisation: burn's default.
const NORM_EPSILON: f32 = 1e-5;

/// What is known of the model.
pub struct Nano {
    config: ModelConfig,
    encoder: NanoConfig,
}

/// The maps that decoders and heads see.
pub struct Features {
    s1: Value,
    s2: Value,
    s3: Value,
    squeezed: Value,
    embedding: Value,
}

/// One level of the detection towers.
pub struct Tower {
    class: Value,
    boxes: Value,
}

impl Nano {
    /// # Errors
    /// Another encoder, or normalisations that are not folded.
    pub fn new(package: &Package) -> Result<Self, ExportError> {
        let config: ModelConfig = serde_json::from_value(package.metadata.model.clone())?;
        let EncoderConfig::Nano(encoder) = config.encoder.clone() else {
            let reason =
                "only the convolutional encoder has an ONNX graph yet; export a nano".into();
            return Err(ExportError::Onnx { reason });
        };
        if config.norm != NormKind::Folded {
            let reason = "expected folded normalisations; export the run to a package first".into();
            return Err(ExportError::Onnx { reason });
        }
        Ok(Self { config, encoder })
    }

    /// The path of a task's head among the weights.
    fn head(&self, task: &str, kind: HeadKind) -> Result<String, ExportError> {
        let place =
            self.config.heads.iter().position(|head| head.name == task && head.kind == kind);
        place.map(|place| format!("heads.{place}")).ok_or_else(|| ExportError::Onnx {
            reason: format!("the model has no {} head for {task}", kind.name()),
        })
    }

    /// Encoder and squeezer.
    pub fn features(&self, g: &mut Graph<'_>, image: &str) -> Result<Features, ExportError> {
        let mut map = standardize(g, image);
        for index in 0..2 {
            map = conv_relu(g, &format!("encoder.stem.{index}.conv"), &map, 2)?;
        }
        let mut outputs = Vec::with_capacity(4);
        for (stage, &depth) in self.encoder.depths.iter().enumerate() {
            for block in 0..depth {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let path = format!("encoder.stages.{stage}.blocks.{block}");
                map = match self.encoder.blocks[stage] {
                    BlockKind::Residual => residual(g, &path, &map, stride)?,
                    BlockKind::Inverted => inverted(g, &path, &map, stride)?,
                };
            }
            outputs.push(map.clone());
        }
        let [s1, s2, s3, s4]: [Value; 4] = outputs
            .try_into()
            .map_err(|_| ExportError::Onnx { reason: "expected four stages".into() })?;
        let squeezed = conv(g, "squeezer.conv", &s4, 1)?;
        let pooled = g.node("GlobalAveragePool", &[&squeezed], vec![]);
        let squeezed = group_norm(g, "squeezer.norm", &squeezed, 1, self.config.squeezer)?;
        let squeezed = gelu(g, &squeezed);
        let pooled = group_norm(g, "squeezer.norm", &pooled, 1, self.config.squeezer)?;
        let pooled = gelu(g, &pooled);
        let embedding = g.node("Flatten", &[&pooled], vec![int("axis", 1)]);
        Ok(Features { s1, s2, s3, squeezed, embedding })
    }

    /// Mean and deviation of each channel of three maps.
    pub fn descriptor(&self, g: &mut Graph<'_>, features: &Features, output: &str) {
        let mut parts = Vec::new();
        for map in [&features.s1, &features.s2, &features.s3] {
            let over = || vec![ints("axes", &[2, 3]), int("keepdims", 1)];
            let mean = g.node("ReduceMean", &[map], over());
            let apart = g.node("Sub", &[map, &mean], vec![]);
            let squared = g.node("Mul", &[&apart, &apart], vec![]);
            let variance = g.node("ReduceMean", &[&squared], over());
            let deviation = g.node("Sqrt", &[&variance], vec![]);
            parts.extend([mean, deviation]);
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let all = g.node("Concat", &parts, vec![int("axis", 1)]);
        g.named("Flatten", &[&all], vec![int("axis", 1)], output);
    }

    /// The segmentation decoder's map.
    pub fn pixels(&self, g: &mut Graph<'_>, features: &Features) -> Result<Value, ExportError> {
        let mut map = features.squeezed.clone();
        let skips = [Some(&features.s3), Some(&features.s2), Some(&features.s1), None];
        for (step, skip) in skips.into_iter().enumerate() {
            map = doubled(g, &map);
            if let Some(skip) = skip {
                map = g.node("Concat", &[&map, skip], vec![int("axis", 1)]);
            }
            for name in ["conv1", "conv2"] {
                map = conv_relu(g, &format!("segmentation.steps.{step}.{name}.conv"), &map, 1)?;
            }
        }
        Ok(map)
    }

    /// The detection decoder, a tower a level.
    pub fn towers(
        &self,
        g: &mut Graph<'_>,
        features: &Features,
    ) -> Result<Vec<Tower>, ExportError> {
        let mut merged: Vec<Value> = Vec::new();
        for (index, map) in
            [&features.s2, &features.s3, &features.squeezed].into_iter().enumerate().rev()
        {
            let map = conv(g, &format!("detection.lateral.{index}"), map, 1)?;
            let map = match merged.last() {
                Some(above) => {
                    let above = doubled(g, &above.clone());
                    g.node("Add", &[&map, &above], vec![])
                }
                None => map,
            };
            merged.push(map);
        }
        merged.reverse();
        let mut levels = Vec::new();
        for (index, map) in merged.iter().enumerate() {
            levels.push(conv(g, &format!("detection.output.{index}"), map, 1)?);
        }
        for index in 0..2 {
            let mut below = levels[levels.len() - 1].clone();
            if index > 0 {
                below = g.node("Relu", &[&below], vec![]);
            }
            levels.push(conv(g, &format!("detection.down.{index}"), &below, 2)?);
        }
        let mut towers = Vec::new();
        for level in &levels {
            let class = self.climb(g, "detection.class_tower", level)?;
            let boxes = self.climb(g, "detection.box_tower", level)?;
            towers.push(Tower { class, boxes });
        }
        Ok(towers)
    }

    fn climb(&self, g: &mut Graph<'_>, tower: &str, level: &str) -> Result<Value, ExportError> {
        let mut map = level.to_owned();
        for layer in 0..self.config.detection_depth {
            map = conv(g, &format!("{tower}.{layer}.conv"), &map, 1)?;
            let norm = format!("{tower}.{layer}.norm");
            map = group_norm(g, &norm, &map, TOWER_GROUPS, self.config.detection_channels)?;
            map = gelu(g, &map);
        }
        Ok(map)
    }

    /// Class logits, as an output of the task's name.
    pub fn classify(
        &self,
        g: &mut Graph<'_>,
        task: &str,
        features: &Features,
    ) -> Result<(), ExportError> {
        let head = self.head(task, HeadKind::Classification)?;
        let positive = g.node("Relu", &[&features.embedding], vec![]);
        let weight = g.weight(&format!("{head}.linear.weight"))?;
        let bias = g.weight(&format!("{head}.linear.bias"))?;
        g.named("Gemm", &[&positive, &weight, &bias], vec![], task);
        Ok(())
    }

    /// Pixel logits, as an output of the task's name.
    pub fn segment(&self, g: &mut Graph<'_>, task: &str, pixels: &str) -> Result<(), ExportError> {
        let head = self.head(task, HeadKind::Segmentation)?;
        let logits = conv(g, &head, pixels, 1)?;
        g.named("Identity", &[&logits], vec![], task);
        Ok(())
    }

    /// The raw values of all levels one after the other, as an output of the task's name.
    pub fn detect(
        &self,
        g: &mut Graph<'_>,
        task: &str,
        towers: &[Tower],
        classes: usize,
    ) -> Result<(), ExportError> {
        let head = self.head(task, HeadKind::Detection)?;
        let scale = g.weight(&format!("{head}.scale"))?;
        let mut parts = Vec::new();
        for (level, (tower, stride)) in towers.iter().zip(STRIDES).enumerate() {
            let class = conv(g, &format!("{head}.class"), &tower.class, 1)?;
            let centerness = conv(g, &format!("{head}.centerness"), &tower.boxes, 1)?;
            let exponent = conv(g, &format!("{head}.distance"), &tower.boxes, 1)?;
            let own = g.integers(&[level as i64]);
            let own = g.node("Gather", &[&scale, &own], vec![int("axis", 0)]);
            let exponent = g.node("Mul", &[&exponent, &own], vec![]);
            let most = g.constant(&[], &[MAX_EXPONENT as f32]);
            let exponent = g.node("Min", &[&exponent, &most], vec![]);
            let distance = g.node("Exp", &[&exponent], vec![]);
            let stride = g.constant(&[], &[stride as f32]);
            let distance = g.node("Mul", &[&distance, &stride], vec![]);
            let all = g.node("Concat", &[&class, &distance, &centerness], vec![int("axis", 1)]);
            let shape = g.integers(&[0, classes as i64 + 5, -1]);
            parts.push(g.node("Reshape", &[&all, &shape], vec![]));
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        g.named("Concat", &parts, vec![int("axis", 2)], task);
        Ok(())
    }
}

/// Mean 0 and deviation 1 over each picture.
fn standardize(g: &mut Graph<'_>, image: &str) -> Value {
    let over = || vec![ints("axes", &[1, 2, 3]), int("keepdims", 1)];
    let mean = g.node("ReduceMean", &[image], over());
    let centred = g.node("Sub", &[image, &mean], vec![]);
    let squared = g.node("Mul", &[&centred, &centred], vec![]);
    let variance = g.node("ReduceMean", &[&squared], over());
    let least = g.constant(&[], &[LEAST_VARIANCE as f32]);
    let variance = g.node("Add", &[&variance, &least], vec![]);
    let deviation = g.node("Sqrt", &[&variance], vec![]);
    g.node("Div", &[&centred, &deviation], vec![])
}

/// A convolution with bias, padded so that stride 1 keeps the size; its kernel's size follows from the weight.
fn conv(g: &mut Graph<'_>, path: &str, input: &str, stride: i64) -> Result<Value, ExportError> {
    let name = format!("{path}.weight");
    let (channels, kernel) = match g.shape(&name)[..] {
        [out, inner, height, width] => ([out, inner], [height as i64, width as i64]),
        ref other => {
            let reason = format!("{name}: expected four axes, found {other:?}");
            return Err(ExportError::Onnx { reason });
        }
    };
    // One input channel a filter: depthwise. The stem's three channels never are one.
    let groups = if channels[1] == 1 { channels[0] as i64 } else { 1 };
    let weight = g.weight(&name)?;
    let bias = format!("{path}.bias");
    let mut inputs = vec![input.to_owned(), weight];
    if g.has(&bias) {
        inputs.push(g.weight(&bias)?);
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let attributes = vec![
        ints("kernel_shape", &kernel),
        ints("strides", &[stride, stride]),
        ints("pads", &[kernel[0] / 2, kernel[1] / 2, kernel[0] / 2, kernel[1] / 2]),
        int("group", groups),
    ];
    Ok(g.node("Conv", &inputs, attributes))
}

/// A padded 3×3 or a 1×1 convolution, and the rectifier.
fn conv_relu(
    g: &mut Graph<'_>,
    path: &str,
    input: &str,
    stride: i64,
) -> Result<Value, ExportError> {
    let output = conv(g, path, input, stride)?;
    Ok(g.node("Relu", &[&output], vec![]))
}

fn residual(g: &mut Graph<'_>, path: &str, input: &str, stride: i64) -> Result<Value, ExportError> {
    let output = conv_relu(g, &format!("{path}.conv1.conv"), input, stride)?;
    let output = conv(g, &format!("{path}.conv2.conv"), &output, 1)?;
    let mut shortcut = input.to_owned();
    if stride == 2 {
        let how = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
        shortcut = g.node("AveragePool", &[&shortcut], how);
    }
    if g.has(&format!("{path}.shortcut.conv.weight")) {
        shortcut = conv(g, &format!("{path}.shortcut.conv"), &shortcut, 1)?;
    }
    let sum = g.node("Add", &[&output, &shortcut], vec![]);
    Ok(g.node("Relu", &[&sum], vec![]))
}

fn inverted(g: &mut Graph<'_>, path: &str, input: &str, stride: i64) -> Result<Value, ExportError> {
    let output = conv_relu(g, &format!("{path}.conv1.conv"), input, 1)?;
    let output = conv_relu(g, &format!("{path}.conv2.conv"), &output, stride)?;
    let output = conv(g, &format!("{path}.conv3.conv"), &output, 1)?;
    let inner = g.shape(&format!("{path}.conv1.conv.weight"));
    let outer = g.shape(&format!("{path}.conv3.conv.weight"));
    // A block that changes the shape has no shortcut.
    if stride == 1 && inner.get(1) == outer.first() {
        return Ok(g.node("Add", &[&output, input], vec![]));
    }
    Ok(output)
}

/// Group normalisation by instance normalisation of groups.
fn group_norm(
    g: &mut Graph<'_>,
    path: &str,
    input: &str,
    groups: usize,
    channels: usize,
) -> Result<Value, ExportError> {
    let grouped = g.integers(&[0, groups as i64, -1]);
    let flat = g.node("Reshape", &[input, &grouped], vec![]);
    let ones = g.constant(&[groups], &vec![1.0; groups]);
    let zeros = g.constant(&[groups], &vec![0.0; groups]);
    let normal = g.node(
        "InstanceNormalization",
        &[&flat, &ones, &zeros],
        vec![float("epsilon", NORM_EPSILON)],
    );
    let shape = g.node("Shape", &[input], vec![]);
    let back = g.node("Reshape", &[&normal, &shape], vec![]);
    let along = g.integers(&[1, channels as i64, 1, 1]);
    let gamma = g.weight(&format!("{path}.gamma"))?;
    let gamma = g.node("Reshape", &[&gamma, &along], vec![]);
    let beta = g.weight(&format!("{path}.beta"))?;
    let beta = g.node("Reshape", &[&beta, &along], vec![]);
    let scaled = g.node("Mul", &[&back, &gamma], vec![]);
    Ok(g.node("Add", &[&scaled, &beta], vec![]))
}

/// x/2 · (1 + erf(x/√2))
fn gelu(g: &mut Graph<'_>, input: &str) -> Value {
    let root = g.constant(&[], &[std::f32::consts::FRAC_1_SQRT_2]);
    let inner = g.node("Mul", &[input, &root], vec![]);
    let erf = g.node("Erf", &[&inner], vec![]);
    let one = g.constant(&[], &[1.0]);
    let sum = g.node("Add", &[&erf, &one], vec![]);
    let product = g.node("Mul", &[input, &sum], vec![]);
    let half = g.constant(&[], &[0.5]);
    g.node("Mul", &[&product, &half], vec![])
}

/// Twice the width and height, each pixel four times.
fn doubled(g: &mut Graph<'_>, input: &str) -> Value {
    let scales = g.constant(&[4], &[1.0, 1.0, 2.0, 2.0]);
    let how = vec![
        text("mode", "nearest"),
        text("coordinate_transformation_mode", "asymmetric"),
        text("nearest_mode", "floor"),
    ];
    g.node("Resize", &[input, "", &scales], how)
}

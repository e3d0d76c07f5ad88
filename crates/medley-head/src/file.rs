//! The head file: safetensors with `weight` `[classes, width]` and `bias` `[classes]`, `F32`; its metadata holds one
//! key, `medley_head`, as JSON.

use std::collections::HashMap;

use medley_package::NOTICE;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::error::HeadError;
use crate::estimate::Estimate;
use crate::head::{Head, Lesson};

/// The version that is written and read; raised by a change that old readers would misread.
pub const HEAD_FORMAT: u32 = 1;

/// The largest file that is read: 255 classes on four times the features of the largest encoder stay below.
pub const MAX_HEAD_BYTES: usize = 16 * 1024 * 1024;

const KEY: &str = "medley_head";

#[derive(Serialize, Deserialize)]
struct Described {
    format_version: u32,
    #[serde(flatten)]
    lesson: Lesson,
    examples: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    estimate: Option<Estimate>,
    notice: String,
}

impl Head {
    /// The head as a file. Equal heads give equal bytes.
    ///
    /// # Errors
    /// Never for a head that was taught or read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, HeadError> {
        let described = Described {
            format_version: HEAD_FORMAT,
            lesson: self.lesson.clone(),
            examples: self.examples.clone(),
            estimate: self.estimate,
            notice: NOTICE.into(),
        };
        let json = serde_json::to_string(&described).map_err(file)?;
        let (classes, width) = (self.bias.len(), self.width());
        let (weights, bias) = (bytes(&self.weights), bytes(&self.bias));
        let tensors = [
            ("bias", TensorView::new(Dtype::F32, vec![classes], &bias).map_err(file)?),
            ("weight", TensorView::new(Dtype::F32, vec![classes, width], &weights).map_err(file)?),
        ];
        safetensors::serialize(tensors, Some(HashMap::from([(KEY.to_owned(), json)]))).map_err(file)
    }

    /// Reads a file that need not be trusted.
    ///
    /// # Errors
    /// Anything that is not as [`to_bytes`](Self::to_bytes) writes it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        if bytes.len() > MAX_HEAD_BYTES {
            return Err(file(format!("{} bytes, more than {MAX_HEAD_BYTES}", bytes.len())));
        }
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(file)?;
        let json = header
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(KEY))
            .ok_or_else(|| file(format!("a safetensors file without the key {KEY:?}")))?;
        // The version before the rest, so that a newer file is called that and not broken.
        let value: serde_json::Value = serde_json::from_str(json).map_err(file)?;
        let version = value.get("format_version").and_then(serde_json::Value::as_u64);
        if version != Some(u64::from(HEAD_FORMAT)) {
            let found = version.map_or("none".into(), |v| v.to_string());
            return Err(file(format!("format version {found}, where {HEAD_FORMAT} is read")));
        }
        let described: Described = serde_json::from_value(value).map_err(file)?;
        described.lesson.check()?;
        let classes = described.lesson.classes.len();
        if described.examples.len() != classes {
            return Err(file(format!("{} counts for {classes} classes", described.examples.len())));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(file)?;
        let bias = floats(&tensors, "bias")?;
        let weights = floats(&tensors, "weight")?;
        let (of_bias, of_weights) = (shape(&tensors, "bias")?, shape(&tensors, "weight")?);
        if of_bias != [classes]
            || of_weights.len() != 2
            || of_weights[0] != classes
            || weights.is_empty()
        {
            return Err(file(format!(
                "shapes {of_bias:?} and {of_weights:?} for {classes} classes"
            )));
        }
        let Described { lesson, examples, estimate, .. } = described;
        Ok(Self { lesson, examples, estimate, weights, bias })
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn shape(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<usize>, HeadError> {
    Ok(tensors.tensor(name).map_err(file)?.shape().to_vec())
}

fn floats(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, HeadError> {
    let tensor = tensors.tensor(name).map_err(file)?;
    if tensor.dtype() != Dtype::F32 {
        return Err(file(format!("{name} of type {:?}", tensor.dtype())));
    }
    let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let values: Vec<f32> = tensor.data().chunks_exact(4).map(number).collect();
    if values.iter().all(|v| v.is_finite()) {
        Ok(values)
    } else {
        Err(file(format!("values in {name} that are not finite")))
    }
}

fn file(found: impl ToString) -> HeadError {
    HeadError::File { found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use medley_package::Presentation;

    use super::*;
    use crate::head::Scope;
    use crate::images::fit_images;
    use crate::testing::drawn;

    fn head() -> Head {
        let (rows, labels) = drawn(30, 2.0, 1);
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let lesson = Lesson {
            scope: Scope::Image,
            name: "marks".into(),
            classes: vec!["plain".into(), "crept".into(), "spots".into()],
            encoder: "ab".repeat(32),
            presentation: Presentation::Whole { size: 160 },
        };
        Head::new(lesson, fit_images(&rows, &labels, 3).unwrap()).unwrap()
    }

    #[test]
    fn a_file_brings_back_the_same_head() {
        let head = head();
        let bytes = head.to_bytes().unwrap();
        assert_eq!(Head::from_bytes(&bytes).unwrap(), head);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(NOTICE) && text.contains("accuracy"));
    }

    #[test]
    fn another_encoder_is_refused() {
        let head = head();
        assert!(head.check_encoder(&"ab".repeat(32)).is_ok());
        let error = head.check_encoder(&"cd".repeat(32)).unwrap_err();
        assert!(error.to_string().contains("another encoder"), "{error}");
    }

    #[test]
    fn damaged_files_are_refused_with_a_reason() {
        let good = head().to_bytes().unwrap();
        for end in [0, 7, 100, good.len() - 1] {
            assert!(matches!(Head::from_bytes(&good[..end]), Err(HeadError::File { .. })), "{end}");
        }
        let swap = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = good.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut bad = good.clone();
            bad[at..at + to.len()].copy_from_slice(to.as_bytes());
            Head::from_bytes(&bad).unwrap_err().to_string()
        };
        assert!(swap("medley_head", "medley_hand").contains("medley_head"));
        assert!(swap("\\\"format_version\\\":1", "\\\"format_version\\\":7").contains("version 7"));
        assert!(swap("crept", "plain").contains("twice"));
        let mut bad = good.clone();
        let end = bad.len();
        bad[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(Head::from_bytes(&bad).unwrap_err().to_string().contains("finite"));
    }
}

//! One tensor of a package: as it is stored, and widened.

use crate::error::PackageError;
use crate::limits::{MAX_NAME_CHARS, MAX_RANK};

/// A tensor as the package stores it, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum PackedTensor {
    /// Kept as it is.
    Float {
        /// Length of each axis; empty for a scalar.
        shape: Vec<usize>,
        /// The values; as many as the product of `shape`.
        data: Vec<f32>,
    },
    /// Quantized symmetrically: the value is `scale[i] · data[i, …]`.
    Int8 {
        /// Length of each axis; at least one axis.
        shape: Vec<usize>,
        /// The quantized values; as many as the product of `shape`.
        data: Vec<i8>,
        /// One factor per index of the first axis, finite and not negative.
        scale: Vec<f32>,
    },
}

impl PackedTensor {
    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Float { shape, .. } | Self::Int8 { shape, .. } => shape,
        }
    }

    /// How many values are stored.
    #[allow(clippy::len_without_is_empty, reason = "no tensor of a model is empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::Float { data, .. } => data.len(),
            Self::Int8 { data, .. } => data.len(),
        }
    }

    /// The values as `f32`, row-major.
    pub fn widen(&self) -> Vec<f32> {
        match self {
            Self::Float { data, .. } => data.clone(),
            Self::Int8 { data, scale, .. } => {
                let row = (data.len() / scale.len().max(1)).max(1);
                // Row by row: flattened, the compiler would not see how many there are.
                let mut wide = Vec::with_capacity(data.len());
                for (values, &scale) in data.chunks(row).zip(scale) {
                    wide.extend(values.iter().map(|&v| f32::from(v) * scale));
                }
                wide
            }
        }
    }

    /// Whether name, shape, number of values and the values themselves can be those of a weight.
    pub(crate) fn check(&self, name: &str) -> Result<(), PackageError> {
        check_name(name)?;
        let count = check_shape(name, self.shape())?;
        let length = match self {
            Self::Float { data, .. } => data.len(),
            Self::Int8 { data, .. } => data.len(),
        };
        if length != count {
            return Err(PackageError::Shape {
                name: name.into(),
                expected: format!("{count} values for shape {:?}", self.shape()),
                found: format!("{length} values"),
            });
        }
        match self {
            Self::Float { data, .. } => check_values(name, data, "finite numbers", f32::is_finite),
            Self::Int8 { shape, scale, .. } => {
                let name = scale_name(name);
                let expected = shape.first().copied().unwrap_or(0);
                if scale.len() != expected || expected == 0 {
                    return Err(PackageError::Shape {
                        name,
                        expected: format!("[{expected}], the first axis of {shape:?}"),
                        found: format!("[{}]", scale.len()),
                    });
                }
                check_values(&name, scale, "finite factors of at least 0", |s| {
                    s.is_finite() && s >= 0.0
                })
            }
        }
    }
}

/// Name of the tensor that holds the factors of an int8 tensor.
pub(crate) fn scale_name(name: &str) -> String {
    format!("{name}.scale")
}

fn check_name(name: &str) -> Result<(), PackageError> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if name.is_empty() || name.len() > MAX_NAME_CHARS || !plain {
        return Err(PackageError::Field {
            file: "package".into(),
            field: "name of a tensor".into(),
            expected: format!("1 to {MAX_NAME_CHARS} of the characters A-Z a-z 0-9 _ - ."),
            found: format!("{:?}", name.chars().take(MAX_NAME_CHARS).collect::<String>()),
        });
    }
    Ok(())
}

/// The number of values of `shape`, when it is a shape that a weight can have.
pub(crate) fn check_shape(name: &str, shape: &[usize]) -> Result<usize, PackageError> {
    let count = shape.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis));
    match count {
        Some(count) if count > 0 && shape.len() <= MAX_RANK => Ok(count),
        _ => Err(PackageError::Shape {
            name: name.into(),
            expected: format!("at most {MAX_RANK} axes, none of them empty"),
            found: format!("shape {:?}", shape.iter().take(MAX_RANK + 1).collect::<Vec<_>>()),
        }),
    }
}

fn check_values(
    name: &str,
    values: &[f32],
    expected: &'static str,
    allowed: impl Fn(f32) -> bool,
) -> Result<(), PackageError> {
    match values.iter().position(|&value| !allowed(value)) {
        None => Ok(()),
        Some(index) => Err(PackageError::Value {
            name: name.into(),
            expected,
            found: values.get(index).copied().unwrap_or(f32::NAN),
            index,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int8(shape: &[usize], data: &[i8], scale: &[f32]) -> PackedTensor {
        PackedTensor::Int8 { shape: shape.into(), data: data.into(), scale: scale.into() }
    }

    #[test]
    fn each_row_is_widened_by_its_own_factor() {
        let tensor = int8(&[2, 1, 2], &[-127, 1, 2, 127], &[0.5, 2.0]);
        // Exact: small integers times powers of two.
        assert_eq!(tensor.widen(), [-63.5, 0.5, 4.0, 254.0]);
        assert_eq!(tensor.shape(), [2, 1, 2]);
    }

    #[test]
    fn widening_a_tensor_that_contradicts_itself_does_not_panic() {
        int8(&[2, 2], &[1, 2, 3], &[]).widen();
        int8(&[], &[], &[]).widen();
        int8(&[3], &[1], &[1.0, 1.0, 1.0]).widen();
    }

    #[test]
    fn tensors_that_contradict_themselves_are_refused() {
        let cases = [
            (int8(&[2, 2], &[1, 2, 3], &[1.0, 1.0]), "4 values"),
            (int8(&[2, 2], &[1, 2, 3, 4], &[1.0]), "[2], the first axis"),
            (int8(&[], &[1], &[]), "the first axis"),
            (int8(&[2, 0], &[], &[1.0, 1.0]), "none of them empty"),
            (int8(&[usize::MAX, 2], &[], &[]), "none of them empty"),
            (int8(&[1, 1], &[1], &[f32::NAN]), "NaN at index 0"),
            (int8(&[1, 1], &[1], &[-1.0]), "-1 at index 0"),
            (
                PackedTensor::Float { shape: vec![2], data: vec![0.0, f32::INFINITY] },
                "inf at index 1",
            ),
            (PackedTensor::Float { shape: vec![1; 9], data: vec![0.0] }, "at most 8 axes"),
        ];
        for (tensor, part) in cases {
            let message = tensor.check("layer.weight").unwrap_err().to_string();
            assert!(message.contains("layer.weight"), "{message}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn names_are_plain() {
        let scalar = PackedTensor::Float { shape: vec![], data: vec![1.0] };
        scalar.check("encoder.stages.0.conv-1.weight_v").unwrap();
        for name in ["", "a b", "a/b", "ä", "a\n", &"a".repeat(257)] {
            assert!(scalar.check(name).is_err(), "{name}");
        }
    }
}

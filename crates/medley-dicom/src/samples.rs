//! Decoded samples in the smallest number type that holds them.

use crate::layout::{Layout, SampleType};

/// Samples of a frame, interleaved, row by row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Samples {
    /// 1 or 8 bits.
    U8(Vec<u8>),
    /// 8 bits with sign.
    I8(Vec<i8>),
    /// 16 bits.
    U16(Vec<u16>),
    /// 16 bits with sign.
    I16(Vec<i16>),
    /// 32 bits.
    U32(Vec<u32>),
    /// 32 bits with sign.
    I32(Vec<i32>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
}

/// The same for each number type.
macro_rules! each {
    ($samples:expr, $values:ident => $body:expr) => {
        match $samples {
            Samples::U8($values) => $body,
            Samples::I8($values) => $body,
            Samples::U16($values) => $body,
            Samples::I16($values) => $body,
            Samples::U32($values) => $body,
            Samples::I32($values) => $body,
            Samples::F32($values) => $body,
            Samples::F64($values) => $body,
        }
    };
}

/// Least, greatest and mean sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
}

#[allow(clippy::unnecessary_cast, reason = "the macro repeats the code for each number type")]
impl Samples {
    /// How many there are.
    pub fn len(&self) -> usize {
        each!(self, values => values.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All as 64-bit floats, which hold each type exactly.
    pub fn to_f64(&self) -> Vec<f64> {
        each!(self, values => values.iter().map(|&v| v as f64).collect())
    }

    /// All as bytes, little endian.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        each!(self, values => values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Least, greatest and mean; NaN among floats counts in none of them.
    pub fn statistics(&self) -> Statistics {
        each!(self, values => {
            let (mut min, mut max, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0_u64);
            for &value in values {
                let value = value as f64;
                if !value.is_nan() {
                    min = min.min(value);
                    max = max.max(value);
                    sum += value;
                    count += 1;
                }
            }
            Statistics { min, max, mean: sum / count.max(1) as f64 }
        })
    }

    /// Name of the number type, as NumPy has it: "uint8".
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::U8(_) => "uint8",
            Self::I8(_) => "int8",
            Self::U16(_) => "uint16",
            Self::I16(_) => "int16",
            Self::U32(_) => "uint32",
            Self::I32(_) => "int32",
            Self::F32(_) => "float32",
            Self::F64(_) => "float64",
        }
    }

    /// From whole numbers as they lie in the file: bits that do not count (overlays of old files) are masked,
    /// and the sign is extended from the highest that does.
    pub(crate) fn from_words(layout: &Layout, words: impl Iterator<Item = u32>) -> Self {
        let shift = u32::from(layout.high_bit + 1 - layout.bits_stored);
        let unused = 32 - u32::from(layout.bits_stored).min(32);
        if layout.sample_type == SampleType::Signed {
            let values = words.map(|word| ((word >> shift) << unused) as i32 >> unused);
            match layout.bits_allocated {
                0..=8 => Self::I8(values.map(|v| v as i8).collect()),
                9..=16 => Self::I16(values.map(|v| v as i16).collect()),
                _ => Self::I32(values.collect()),
            }
        } else {
            let values = words.map(|word| ((word >> shift) << unused) >> unused);
            match layout.bits_allocated {
                0..=8 => Self::U8(values.map(|v| v as u8).collect()),
                9..=16 => Self::U16(values.map(|v| v as u16).collect()),
                _ => Self::U32(values.collect()),
            }
        }
    }

    /// From whole numbers that a decoder gives with their sign; those that do not fit are cut to the type's
    /// range.
    pub(crate) fn from_values(layout: &Layout, values: impl Iterator<Item = i32>) -> Self {
        let signed = layout.sample_type == SampleType::Signed;
        match (signed, layout.bits_allocated) {
            (true, 0..=8) => Self::I8(values.map(|v| v.clamp(-128, 127) as i8).collect()),
            (true, 9..=16) => Self::I16(values.map(|v| v.clamp(-32_768, 32_767) as i16).collect()),
            (true, _) => Self::I32(values.collect()),
            (false, 0..=8) => Self::U8(values.map(|v| v.clamp(0, 255) as u8).collect()),
            (false, 9..=16) => Self::U16(values.map(|v| v.clamp(0, 65_535) as u16).collect()),
            (false, _) => Self::U32(values.map(|v| v.max(0) as u32).collect()),
        }
    }

    /// From bytes, little endian, of the layout's width.
    pub(crate) fn from_bytes(layout: &Layout, bytes: &[u8]) -> Self {
        match layout.sample_type {
            SampleType::Float => Self::F32(
                bytes
                    .chunks_exact(4)
                    .map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]))
                    .collect(),
            ),
            SampleType::Double => Self::F64(
                bytes
                    .chunks_exact(8)
                    .map(|c| f64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]))
                    .collect(),
            ),
            _ => match layout.bits_allocated {
                0..=8 => Self::from_words(layout, bytes.iter().map(|&b| u32::from(b))),
                9..=16 => {
                    let words = bytes.chunks_exact(2);
                    let words = words.map(|c| u32::from(u16::from_le_bytes([c[0], c[1]])));
                    Self::from_words(layout, words)
                }
                _ => {
                    let words = bytes.chunks_exact(4);
                    let words = words.map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]));
                    Self::from_words(layout, words)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Photometric;

    fn layout(allocated: u16, stored: u16, high: u16, sample_type: SampleType) -> Layout {
        Layout {
            rows: 1,
            columns: 4,
            frames: 1,
            samples: 1,
            bits_allocated: allocated,
            bits_stored: stored,
            high_bit: high,
            sample_type,
            planar: false,
            photometric: Photometric::Monochrome2,
        }
    }

    #[test]
    fn overlay_bits_are_masked_and_the_sign_is_extended() {
        let words = [0xF123_u32, 0x0FFF, 0x0800, 0x17FF];
        let unsigned = layout(16, 12, 11, SampleType::Unsigned);
        let expected = Samples::U16(vec![0x123, 0xFFF, 0x800, 0x7FF]);
        assert_eq!(Samples::from_words(&unsigned, words.into_iter()), expected);
        let signed = layout(16, 12, 11, SampleType::Signed);
        let expected = Samples::I16(vec![0x123, -1, -2048, 2047]);
        assert_eq!(Samples::from_words(&signed, words.into_iter()), expected);
        let high = layout(16, 12, 15, SampleType::Unsigned);
        assert_eq!(Samples::from_words(&high, [0xABC7].into_iter()), Samples::U16(vec![0xABC]));
    }

    #[test]
    fn statistics_leave_out_what_is_no_number() {
        let found = Samples::F32(vec![1.0, f32::NAN, 3.0]).statistics();
        assert_eq!(found, Statistics { min: 1.0, max: 3.0, mean: 2.0 });
    }
}

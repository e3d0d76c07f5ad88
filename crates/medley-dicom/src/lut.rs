//! Lookup tables: modality, VOI and palette (PS3.3 C.11.1, C.11.2, C.7.6.3.1.5).

use dicom_core::Tag;

use crate::attributes::{Attributes, bad};
use crate::error::DicomError;
use crate::limits::MAX_LUT_ENTRIES;

/// A table over whole numbers from a first one on; inputs outside get the value at the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lut {
    first: f64,
    values: Vec<u16>,
    bits: u32,
}

impl Lut {
    /// Reads descriptor and data; none if either is missing.
    pub(crate) fn read(
        attributes: &Attributes<'_>,
        name: &'static str,
        descriptor: Tag,
        data: Tag,
    ) -> Result<Option<Self>, DicomError> {
        let (Some(described), Some(mut values)) =
            (attributes.integers(name, descriptor)?, attributes.words(data))
        else {
            return Ok(None);
        };
        let [entries, first, bits] = described[..] else {
            return Err(bad(name, descriptor, "three numbers: entries, first input, bits"));
        };
        // 16 bits, whose sign depends on how the file was written; 0 stands for 65536.
        let entries = match entries as u16 {
            0 => MAX_LUT_ENTRIES,
            entries => usize::from(entries),
        };
        // A first input below 0 may be read as unsigned; no table begins in the upper half.
        let first = f64::from(first as i16);
        let bits = match bits {
            8 => 8,
            9..=16 => bits as u32,
            _ => return Err(bad(name, descriptor, "8 to 16 bits")),
        };
        // 8-bit tables may pack two entries into each word.
        if bits == 8 && values.len() < entries && values.len() * 2 >= entries {
            values = values.iter().flat_map(|word| word.to_le_bytes().map(u16::from)).collect();
        }
        values.truncate(entries);
        if values.len() < entries {
            return Err(bad(name, data, "as many entries as the descriptor says"));
        }
        // Some writers say 16 bits and fill 8, or the other way round.
        let highest = values.iter().copied().max().unwrap_or(0);
        let bits = if bits == 8 && highest > 255 { 16 } else { bits };
        Ok(Some(Self { first, values, bits }))
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The entry for an input.
    pub(crate) fn value(&self, input: f64) -> f64 {
        let last = self.values.len() - 1;
        // The cast cuts to 0 and above.
        let index = ((input - self.first).round() as usize).min(last);
        f64::from(self.values[index])
    }

    /// The greatest value that its bits can say.
    pub(crate) fn full_scale(&self) -> f64 {
        f64::from(2_u32.pow(self.bits) - 1)
    }
}

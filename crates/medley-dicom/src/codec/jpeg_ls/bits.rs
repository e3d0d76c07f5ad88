//! Bits of a scan: after a byte FF the next one holds seven (T.87 annex A.1).

use super::Fault;

pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bits that are read but not used, at the high end.
    cache: u64,
    count: u32,
    after_ff: bool,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, cache: 0, count: 0, after_ff: false }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            let width = if self.after_ff {
                if byte & 0x80 != 0 {
                    // A marker: the scan has ended.
                    return;
                }
                7
            } else {
                8
            };
            // The marker's own FF belongs to no sample.
            if byte == 0xFF && self.bytes.get(self.at + 1).is_none_or(|next| next & 0x80 != 0) {
                return;
            }
            self.cache |= u64::from(byte) << (64 - width - self.count);
            self.count += width;
            self.after_ff = byte == 0xFF;
            self.at += 1;
        }
    }

    fn need(&mut self, count: u32) -> Result<(), Fault> {
        if self.count < count {
            self.fill();
            if self.count < count {
                return Err("the data end too early".into());
            }
        }
        Ok(())
    }

    /// Up to 32 bits.
    pub(super) fn bits(&mut self, count: u32) -> Result<u32, Fault> {
        if count == 0 {
            return Ok(0);
        }
        self.need(count)?;
        let value = (self.cache >> (64 - count)) as u32;
        self.cache <<= count;
        self.count -= count;
        Ok(value)
    }

    pub(super) fn bit(&mut self) -> Result<bool, Fault> {
        Ok(self.bits(1)? == 1)
    }

    /// Number of zeros before the next one, which is used too.
    fn zeros(&mut self, most: u32) -> Result<u32, Fault> {
        let mut zeros = 0;
        loop {
            self.need(1)?;
            let run = self.cache.leading_zeros().min(self.count);
            zeros += run;
            if zeros > most {
                return Err("a code word is too long".into());
            }
            if run < self.count {
                self.cache <<= run + 1;
                self.count -= run + 1;
                return Ok(zeros);
            }
            self.cache = 0;
            self.count = 0;
        }
    }

    /// A Golomb code word of limited length (A.5.3).
    pub(super) fn golomb(&mut self, k: u32, limit: u32, wide: u32) -> Result<i32, Fault> {
        let escape = limit.saturating_sub(wide + 1);
        let zeros = self.zeros(escape)?;
        if zeros < escape {
            Ok(((zeros << k) | self.bits(k)?) as i32)
        } else {
            Ok(self.bits(wide)? as i32 + 1)
        }
    }

    /// Bytes up to the marker that ends the scan.
    pub(super) fn consumed(&self) -> usize {
        self.at
    }
}

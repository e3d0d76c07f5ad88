//! Huffman codes and the bits of a scan (T.81 annexes C and F.2.2).

use crate::codec::Fault;

/// Codes up to this length are found in one look.
const LOOK_BITS: u32 = 9;

/// A Huffman table.
pub(super) struct Table {
    /// Symbol and length for each beginning of `LOOK_BITS` bits; length 0 where the code is longer.
    look: Vec<(u8, u8)>,
    /// For each length: the first code, the number of codes, the index of the first symbol.
    lengths: [(u32, u32, usize); 17],
    symbols: Vec<u8>,
}

impl Table {
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Fault> {
        let mut look = vec![(0, 0); 1 << LOOK_BITS];
        let mut lengths = [(0, 0, 0); 17];
        let (mut code, mut index) = (0_u32, 0);
        for length in 1..=16_u32 {
            let count = u32::from(counts[length as usize - 1]);
            if code + count > 1 << length {
                return Err("a Huffman table has more codes than there can be".into());
            }
            lengths[length as usize] = (code, count, index);
            for offset in 0..count {
                if length <= LOOK_BITS {
                    let space = LOOK_BITS - length;
                    let first = ((code + offset) << space) as usize;
                    let entry = (symbols[index + offset as usize], length as u8);
                    look[first..first + (1 << space)].fill(entry);
                }
            }
            index += count as usize;
            code = (code + count) << 1;
        }
        Ok(Self { look, lengths, symbols: symbols.to_vec() })
    }
}

/// Bits of entropy-coded data, without the stuffed zeros.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    cache: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, cache: 0, count: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at..) {
                Some([0xFF, 0, ..]) => {
                    self.at += 2;
                    0xFF
                }
                // A marker, or the end.
                Some([0xFF, ..] | []) | None => return,
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.cache |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Up to 16 bits.
    pub(super) fn bits(&mut self, count: u32) -> Result<u32, Fault> {
        if count == 0 {
            return Ok(0);
        }
        if self.count < count {
            self.fill();
            if self.count < count {
                return Err("the data end too early".into());
            }
        }
        let value = (self.cache >> (64 - count)) as u32;
        self.cache <<= count;
        self.count -= count;
        Ok(value)
    }

    pub(super) fn symbol(&mut self, table: &Table) -> Result<u8, Fault> {
        if self.count < 16 {
            self.fill();
        }
        let (symbol, length) = table.look[(self.cache >> (64 - LOOK_BITS)) as usize];
        if length != 0 && u32::from(length) <= self.count {
            self.cache <<= length;
            self.count -= u32::from(length);
            return Ok(symbol);
        }
        for length in 1..=16_u32.min(self.count) {
            let code = (self.cache >> (64 - length)) as u32;
            let (first, count, index) = table.lengths[length as usize];
            if code >= first && code - first < count {
                self.cache <<= length;
                self.count -= length;
                return Ok(table.symbols[index + (code - first) as usize]);
            }
        }
        Err("the data end too early, or have a code that the table does not".into())
    }

    /// A signed number of `size` bits (T.81 F.2.2.1, EXTEND).
    pub(super) fn signed(&mut self, size: u32) -> Result<i32, Fault> {
        if size == 0 {
            return Ok(0);
        }
        let value = self.bits(size)? as i32;
        Ok(if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    /// Goes on behind the next restart marker.
    pub(super) fn restart(&mut self) -> Result<(), Fault> {
        self.cache = 0;
        self.count = 0;
        let rest = &self.bytes[self.at..];
        let marker = rest.windows(2).position(|pair| pair[0] == 0xFF && pair[1] != 0);
        let marker = marker.ok_or("a restart marker is missing")?;
        if !matches!(rest[marker + 1], 0xD0..=0xD7) {
            return Err("a restart marker is missing".into());
        }
        self.at += marker + 2;
        Ok(())
    }

    /// Bytes up to the marker that ends the scan, or up to where reading stopped.
    pub(super) fn consumed(&self) -> usize {
        self.at
    }
}

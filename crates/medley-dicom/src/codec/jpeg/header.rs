//! Marker segments of JPEG (T.81 annex B).

use super::huffman::Table;
use crate::codec::Fault;

/// The coding process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    Dct,
    Progressive,
    Lossless,
}

#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
    pub(super) quantization: usize,
}

/// Frame header, and what the application segments say of colour.
pub(super) struct Header {
    pub(super) process: Process,
    pub(super) precision: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
    pub(super) jfif: bool,
    pub(super) adobe_transform: Option<u8>,
}

/// Tables that are in force where a scan begins.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Table>; 4],
    pub(super) ac: [Option<Table>; 4],
    /// In zigzag order.
    pub(super) quantization: [Option<[f32; 64]>; 4],
    /// MCUs between restart markers; 0 for none.
    pub(super) restart: usize,
}

/// Scan header. The parameters are those of its process: predictor and point transform where it is lossless.
pub(super) struct ScanHeader {
    /// Index of the component, and its DC and AC tables.
    pub(super) components: Vec<(usize, usize, usize)>,
    pub(super) predictor: u8,
    pub(super) point_transform: u32,
}

/// A marker and its segment.
pub(super) struct Segment<'a> {
    pub(super) code: u8,
    pub(super) content: &'a [u8],
}

/// Walks over the marker segments.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

const CUT: &str = "a marker segment is cut off";
pub(super) const SCAN: u8 = 0xDA;
const END: u8 = 0xD9;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        if bytes.starts_with(&[0xFF, 0xD8]) {
            Ok(Self { bytes, at: 2 })
        } else {
            Err("no start of an image".into())
        }
    }

    /// The next segment; none at the end of the image.
    pub(super) fn next_segment(&mut self) -> Result<Option<Segment<'a>>, Fault> {
        loop {
            let rest = &self.bytes[self.at..];
            let start = rest.iter().position(|&byte| byte == 0xFF).ok_or(CUT)?;
            let fill = rest[start..].iter().take_while(|&&byte| byte == 0xFF).count();
            let code = *rest.get(start + fill).ok_or(CUT)?;
            self.at += start + fill + 1;
            match code {
                END => return Ok(None),
                0 | 1 | 0xD0..=0xD8 => {}
                _ => {
                    let rest = &self.bytes[self.at..];
                    let length = rest.get(..2).ok_or(CUT)?;
                    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                    let content = rest.get(2..length).ok_or(CUT)?;
                    self.at += length;
                    return Ok(Some(Segment { code, content }));
                }
            }
        }
    }

    /// The entropy-coded data after a scan header.
    pub(super) fn data(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.bytes.len());
    }
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(bytes)?;
        let (mut jfif, mut adobe_transform) = (false, None);
        while let Some(Segment { code, content }) = reader.next_segment()? {
            let process = match code {
                0xC0 | 0xC1 => Process::Dct,
                0xC2 => Process::Progressive,
                0xC3 => Process::Lossless,
                0xE0 => {
                    jfif |= content.starts_with(b"JFIF\0");
                    continue;
                }
                0xEE => {
                    if content.starts_with(b"Adobe") {
                        adobe_transform = content.get(11).copied();
                    }
                    continue;
                }
                0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                    return Err("arithmetic coding and hierarchies are not read".into());
                }
                0xF7 => return Err("the data are JPEG-LS, not JPEG".into()),
                SCAN => break,
                _ => continue,
            };
            let mut header = Self::frame(process, content)?;
            header.jfif = jfif;
            header.adobe_transform = adobe_transform;
            return Ok(header);
        }
        Err("no frame header".into())
    }

    fn frame(process: Process, content: &[u8]) -> Result<Self, Fault> {
        let [precision, h1, h0, w1, w0, count, specs @ ..] = content else {
            return Err(CUT.into());
        };
        let fits = match process {
            Process::Dct | Process::Progressive => matches!(precision, 8 | 12),
            Process::Lossless => (2..=16).contains(precision),
        };
        if !fits {
            return Err(Fault(format!("samples of {precision} bits are not read")));
        }
        if specs.len() < 3 * usize::from(*count) || *count == 0 || *count > 4 {
            return Err(CUT.into());
        }
        let components: Vec<Component> = specs
            .chunks_exact(3)
            .take(usize::from(*count))
            .map(|spec| Component {
                id: spec[0],
                horizontal: usize::from(spec[1] >> 4),
                vertical: usize::from(spec[1] & 15),
                quantization: usize::from(spec[2]),
            })
            .collect();
        let factors =
            |c: &Component| (1..=4).contains(&c.horizontal) && (1..=4).contains(&c.vertical);
        if !components.iter().all(factors) {
            return Err("sampling factors are none of 1 to 4".into());
        }
        Ok(Self {
            process,
            precision: u32::from(*precision),
            height: u32::from(u16::from_be_bytes([*h1, *h0])),
            width: u32::from(u16::from_be_bytes([*w1, *w0])),
            components,
            jfif: false,
            adobe_transform: None,
        })
    }

    /// Reads the scan header.
    pub(super) fn scan(&self, content: &[u8]) -> Result<ScanHeader, Fault> {
        let (&count, rest) = content.split_first().ok_or(CUT)?;
        let count = usize::from(count);
        let [start, _, transform] = rest.get(2 * count..).ok_or(CUT)? else {
            return Err(CUT.into());
        };
        let mut components: Vec<(usize, usize, usize)> = Vec::with_capacity(count);
        for spec in rest[..2 * count].chunks_exact(2) {
            let index = self.components.iter().position(|component| component.id == spec[0]);
            let index = index.ok_or("a scan names a component that the frame does not have")?;
            let (dc, ac) = (usize::from(spec[1] >> 4), usize::from(spec[1] & 15));
            if dc > 3 || ac > 3 {
                return Err("a scan names a table that there cannot be".into());
            }
            if components.iter().any(|(other, ..)| *other == index) {
                return Err("a scan names a component twice".into());
            }
            components.push((index, dc, ac));
        }
        if components.is_empty() {
            return Err("a scan has no component".into());
        }
        Ok(ScanHeader { components, predictor: *start, point_transform: u32::from(transform & 15) })
    }
}

impl Tables {
    /// Takes over a segment of tables; others are passed over.
    pub(super) fn take(&mut self, segment: &Segment<'_>) -> Result<(), Fault> {
        match segment.code {
            0xC4 => self.huffman(segment.content),
            0xDB => self.quantization(segment.content),
            0xDD => {
                let [high, low] = segment.content else { return Err(CUT.into()) };
                self.restart = usize::from(u16::from_be_bytes([*high, *low]));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn huffman(&mut self, mut rest: &[u8]) -> Result<(), Fault> {
        while let Some((&class, after)) = rest.split_first() {
            let counts: &[u8; 16] = after.first_chunk().ok_or(CUT)?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let symbols = after.get(16..16 + total).ok_or(CUT)?;
            let table = Table::new(counts, symbols)?;
            let slot = usize::from(class & 15);
            let tables = if class >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(slot).ok_or("a Huffman table has no place")? = Some(table);
            rest = &after[16 + total..];
        }
        Ok(())
    }

    fn quantization(&mut self, mut rest: &[u8]) -> Result<(), Fault> {
        while let Some((&kind, after)) = rest.split_first() {
            let width = if kind >> 4 == 0 { 1 } else { 2 };
            let bytes = after.get(..64 * width).ok_or(CUT)?;
            let mut table = [0.0; 64];
            for (entry, value) in table.iter_mut().zip(bytes.chunks_exact(width)) {
                *entry = value.iter().fold(0.0, |sum, &byte| sum * 256.0 + f32::from(byte));
            }
            let slot = usize::from(kind & 15);
            let place =
                self.quantization.get_mut(slot).ok_or("a quantization table has no place")?;
            *place = Some(table);
            rest = &after[64 * width..];
        }
        Ok(())
    }
}

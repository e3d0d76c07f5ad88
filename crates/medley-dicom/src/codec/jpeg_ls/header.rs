//! Marker segments of JPEG-LS (T.87 annex C).

use super::Fault;

/// Size and precision.
pub(super) struct FrameHeader {
    pub(super) precision: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: u16,
}

/// How components share a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interleave {
    None,
    Line,
    Sample,
}

pub(super) struct ScanHeader {
    pub(super) components: usize,
    /// Greatest difference between original and reconstructed samples.
    pub(super) near: i32,
    pub(super) interleave: Interleave,
}

/// Coding parameters; 0 stands for the default.
pub(super) struct Presets {
    pub(super) max: i32,
    pub(super) thresholds: [i32; 3],
    pub(super) reset: i32,
}

pub(super) enum Marker {
    Frame(FrameHeader),
    Presets(Presets),
    Scan(ScanHeader),
    Other,
    End,
}

/// Walks over the markers.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

const CUT: &str = "a marker segment is cut off";

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        if !bytes.starts_with(&[0xFF, 0xD8]) {
            return Err("no start of an image".into());
        }
        Ok(Self { bytes, at: 2 })
    }

    /// What follows the last marker segment.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.bytes.len());
    }

    pub(super) fn next_marker(&mut self) -> Result<Marker, Fault> {
        // Markers may be padded with FF, and a scan is followed by the next marker, not by data.
        let start = self.rest().iter().position(|&byte| byte == 0xFF).ok_or(CUT)?;
        self.at += start;
        let fill = self.rest().iter().take_while(|&&byte| byte == 0xFF).count();
        self.at += fill;
        let code = *self.rest().first().ok_or(CUT)?;
        self.at += 1;
        if code == 0xD9 {
            return Ok(Marker::End);
        }
        if matches!(code, 0 | 1 | 0xD0..=0xD8) {
            return Ok(Marker::Other);
        }
        let length = self.rest().get(..2).ok_or(CUT)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let segment = self.rest().get(2..length).ok_or(CUT)?;
        self.at += length;
        match code {
            0xF7 => frame(segment).map(Marker::Frame),
            0xF8 => presets(segment),
            0xDA => scan(segment).map(Marker::Scan),
            0xDD if segment.iter().any(|&byte| byte != 0) => {
                Err("restart intervals are not read".into())
            }
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                Err("the data are JPEG, not JPEG-LS".into())
            }
            _ => Ok(Marker::Other),
        }
    }
}

fn frame(segment: &[u8]) -> Result<FrameHeader, Fault> {
    let [precision, h1, h0, w1, w0, components, specs @ ..] = segment else {
        return Err(CUT.into());
    };
    if !(2..=16).contains(precision) {
        return Err(Fault(format!("samples of {precision} bits; 2 to 16 are read")));
    }
    if specs.chunks_exact(3).any(|spec| spec[1] != 0x11) {
        return Err("components of different sizes are not read".into());
    }
    Ok(FrameHeader {
        precision: u32::from(*precision),
        height: u32::from(u16::from_be_bytes([*h1, *h0])),
        width: u32::from(u16::from_be_bytes([*w1, *w0])),
        components: u16::from(*components),
    })
}

fn presets(segment: &[u8]) -> Result<Marker, Fault> {
    match segment {
        [1, rest @ ..] if rest.len() == 10 => {
            let word = |at: usize| i32::from(u16::from_be_bytes([rest[at], rest[at + 1]]));
            Ok(Marker::Presets(Presets {
                max: word(0),
                thresholds: [word(2), word(4), word(6)],
                reset: word(8),
            }))
        }
        _ => Err("mapping tables and large sizes are not read".into()),
    }
}

fn scan(segment: &[u8]) -> Result<ScanHeader, Fault> {
    let [components, rest @ ..] = segment else { return Err(CUT.into()) };
    let components = usize::from(*components);
    let [near, interleave, point] = rest.get(2 * components..).ok_or(CUT)? else {
        return Err(CUT.into());
    };
    if rest[..2 * components].chunks_exact(2).any(|spec| spec[1] != 0) {
        return Err("mapping tables are not read".into());
    }
    if *point != 0 {
        return Err("a point transform is not read".into());
    }
    let interleave = match interleave {
        0 => Interleave::None,
        1 => Interleave::Line,
        2 => Interleave::Sample,
        _ => return Err("the interleave mode is none of 0, 1, 2".into()),
    };
    Ok(ScanHeader { components, near: i32::from(*near), interleave })
}

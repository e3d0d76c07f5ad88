//! JPEG-LS (ITU-T T.87): lossless and near-lossless, all three interleavings.

mod bits;
mod header;
mod scan;

use super::{Content, Decoded, Fault, same_size};
use crate::layout::Layout;
use header::{Interleave, Marker};
use scan::Scan;

pub(super) fn decode(layout: &Layout, bytes: &[u8]) -> Result<Decoded, Fault> {
    let mut reader = header::Reader::new(bytes)?;
    let mut frame = None;
    let mut presets = None;
    let mut values = Vec::new();
    let mut decoded = 0;
    loop {
        match reader.next_marker()? {
            Marker::Frame(found) => {
                same_size(layout, found.width, found.height, found.components)?;
                values = vec![0; layout.values()];
                frame = Some(found);
            }
            Marker::Presets(found) => presets = Some(found),
            Marker::Scan(scan) => {
                let frame = frame.as_ref().ok_or("a scan comes before its frame header")?;
                let channels = usize::from(frame.components);
                let several = scan.interleave != Interleave::None;
                let expected = if several { channels } else { 1 };
                if scan.components != expected || decoded + expected > channels {
                    return Err("the components of a scan are not those of the frame".into());
                }
                let mut coder = Scan::new(frame, &scan, presets.as_ref(), reader.rest())?;
                match scan.interleave {
                    Interleave::Sample if channels > 1 => coder.by_sample(&mut values, channels)?,
                    _ => coder.by_line(&mut values, channels, decoded, expected)?,
                }
                reader.skip(coder.consumed());
                decoded += expected;
                if decoded == channels {
                    break;
                }
            }
            Marker::Other => {}
            Marker::End => return Err("the image ends before its last component".into()),
        }
    }
    Ok(Decoded {
        width: layout.columns,
        height: layout.rows,
        channels: layout.samples,
        values,
        has_sign: false,
        content: Content::AsStated,
    })
}

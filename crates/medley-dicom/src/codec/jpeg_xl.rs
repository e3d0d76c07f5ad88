//! JPEG XL.

use jxl_oxide::JxlImage;

use super::{Content, Decoded, Fault, same_size};
use crate::layout::Layout;

/// More bits than these a 32-bit float does not hold exactly.
const MAX_BITS: u32 = 24;

pub(super) fn decode(layout: &Layout, bytes: &[u8]) -> Result<Decoded, Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault(error.to_string());
    let image = JxlImage::builder().read(bytes).map_err(|error| fault(&error))?;
    let channels = image.pixel_format().channels() as u16;
    same_size(layout, image.width(), image.height(), channels)?;
    let bits = image.image_header().metadata.bit_depth.bits_per_sample();
    if bits > MAX_BITS {
        return Err(Fault(format!("samples of {bits} bits; at most {MAX_BITS} are read")));
    }
    let render = image.render_frame(0).map_err(|error| fault(&error))?;
    let mut stream = render.stream();
    let mut values = vec![0.0_f32; layout.values()];
    if stream.write_to_buffer(&mut values) != values.len() {
        return Err("the frame is not complete".into());
    }
    // Samples come in 0..1, where whole numbers of the file are multiples of one step.
    let steps = f64::from((1_u32 << bits) - 1);
    let values = values.iter().map(|&value| (f64::from(value) * steps).round() as i32).collect();
    Ok(Decoded {
        width: layout.columns,
        height: layout.rows,
        channels,
        values,
        has_sign: false,
        content: if layout.samples == 1 { Content::AsStated } else { Content::Rgb },
    })
}

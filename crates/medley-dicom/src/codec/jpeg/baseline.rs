//! DCT of 8 bits, sequential and progressive.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::codec::Fault;
use crate::layout::Layout;

/// Samples as they are stored: no colour is converted here.
pub(super) fn decode(layout: &Layout, bytes: &[u8]) -> Result<Vec<i32>, Fault> {
    let fault = |error: &dyn std::fmt::Debug| Fault(format!("{error:?}"));
    // Not strict, the decoder fills what is missing with grey and says nothing.
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(layout.columns as usize)
        .set_max_height(layout.rows as usize);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| fault(&error))?;
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::Luma);
    decoder.set_options(options.jpeg_set_out_colorspace(stored));
    let samples = decoder.decode().map_err(|error| fault(&error))?;
    Ok(samples.into_iter().map(i32::from).collect())
}

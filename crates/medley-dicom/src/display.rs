//! From stored samples to what a viewer shows: modality transform, window, palette, polarity (PS3.4 annex N.2).

use dicom_dictionary_std::tags;

use crate::color::{Palette, to_rgb};
use crate::error::DicomError;
use crate::frame::Frame;
use crate::layout::{Layout, Photometric, SampleType};
use crate::lut::Lut;
use crate::read::DicomFile;

/// How a linear window treats its edges (PS3.3 C.11.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowShape {
    /// The default of the standard, with its half-unit shift.
    Linear,
    /// Without the shift.
    LinearExact,
    /// A smooth curve.
    Sigmoid,
}

/// A window: which values become black, white and what lies between.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Centre, in values after the modality transform.
    pub center: f64,
    /// Width, above 0 (for `Linear` at least 1).
    pub width: f64,
    /// How edges are treated.
    pub shape: WindowShape,
    /// What the file calls it, as "LUNG".
    pub name: Option<String>,
}

/// Which of the ways to display a file offers.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Presentation {
    /// The first window of the file, else its VOI table, else from least to greatest value.
    #[default]
    Default,
    /// A window of the file, counted from 0.
    Window(usize),
    /// A window of one's own.
    Custom(Window),
    /// From least to greatest value of the frame, padding left out.
    FullRange,
}

/// A frame as a viewer shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayFrame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// RGB, interleaved, row by row, 0..1.
    pub rgb: Vec<f32>,
}

impl DicomFile {
    /// The windows that the file offers for a frame, in its order.
    pub fn windows(&self, frame: u32) -> Vec<Window> {
        let attributes = self.scope(frame).group(tags::FRAME_VOILUT_SEQUENCE);
        let centers = attributes.decimals(tags::WINDOW_CENTER).unwrap_or_default();
        let widths = attributes.decimals(tags::WINDOW_WIDTH).unwrap_or_default();
        let names = attributes.text(tags::WINDOW_CENTER_WIDTH_EXPLANATION).unwrap_or_default();
        let mut names = names.split('\\').map(str::trim);
        let shape = match attributes.text(tags::VOILUT_FUNCTION).as_deref() {
            Some("LINEAR_EXACT") => WindowShape::LinearExact,
            Some("SIGMOID") => WindowShape::Sigmoid,
            _ => WindowShape::Linear,
        };
        let least = if shape == WindowShape::Linear { 1.0 } else { f64::MIN_POSITIVE };
        let pairs = centers.into_iter().zip(widths);
        pairs
            .map(|(center, width)| {
                let name = names.next().filter(|name| !name.is_empty()).map(str::to_owned);
                Window { center, width, shape, name }
            })
            .filter(|window| window.width >= least)
            .collect()
    }

    /// Decodes a frame and brings it to RGB as a viewer shows it. Overlays are not drawn.
    ///
    /// # Errors
    /// What [`DicomFile::frame`] refuses, a window that the file does not have, a table of no use.
    pub fn display(
        &self,
        frame: u32,
        presentation: &Presentation,
    ) -> Result<DisplayFrame, DicomError> {
        self.show(&self.frame(frame)?, frame, presentation)
    }

    /// As [`DicomFile::display`], of a frame that is decoded already: another window costs no other decoding.
    ///
    /// # Errors
    /// A window that the file does not have, a table of no use.
    pub fn show(
        &self,
        decoded: &Frame,
        frame: u32,
        presentation: &Presentation,
    ) -> Result<DisplayFrame, DicomError> {
        let layout = Layout::read(self)?;
        let rgb = match decoded.photometric {
            Photometric::Palette => {
                let palette = Palette::read(self)?;
                decoded.samples.to_f64().iter().flat_map(|&index| palette.color(index)).collect()
            }
            Photometric::Monochrome1 | Photometric::Monochrome2 => {
                self.grey(&layout, decoded, frame, presentation)?
            }
            _ => {
                let highest = match layout.sample_type {
                    SampleType::Float | SampleType::Double => 1.0,
                    _ => (2.0_f64).powi(i32::from(layout.bits_stored)) - 1.0,
                };
                let unit = |value: &f64| (value / highest).clamp(0.0, 1.0) as f32;
                to_rgb(decoded)?.to_f64().iter().map(unit).collect()
            }
        };
        Ok(DisplayFrame { width: layout.columns, height: layout.rows, rgb })
    }

    fn grey(
        &self,
        layout: &Layout,
        decoded: &Frame,
        frame: u32,
        presentation: &Presentation,
    ) -> Result<Vec<f32>, DicomError> {
        let stored = decoded.samples.to_f64();
        let padding = self.padding(layout)?;
        let is_image = |value: f64| padding.is_none_or(|[low, high]| value < low || value > high);
        let modality = self.modality_transform(frame)?;
        let values: Vec<f64> = stored.iter().map(|&value| modality.apply(value)).collect();
        let windows = self.windows(frame);
        let table = || {
            let attributes = self.scope(frame).group(tags::FRAME_VOILUT_SEQUENCE);
            let Some(item) = attributes.item(tags::VOILUT_SEQUENCE) else { return Ok(None) };
            Lut::read(&item, "VOI LUTData", tags::LUT_DESCRIPTOR, tags::LUT_DATA)
        };
        let full = || {
            let seen = stored.iter().zip(&values).filter(|(stored, _)| is_image(**stored));
            let (low, high) = seen
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, &v)| {
                    (low.min(v), high.max(v))
                });
            Shade::Range(low, high)
        };
        let shade = match presentation {
            Presentation::FullRange => full(),
            Presentation::Custom(window) => Shade::Window(window.clone()),
            Presentation::Window(index) => {
                let window = windows.get(*index).cloned();
                Shade::Window(window.ok_or_else(|| DicomError::BadResult {
                    reason: format!("window {index} of {}, counted from 0", windows.len()),
                })?)
            }
            Presentation::Default => match (windows.into_iter().next(), table()?) {
                (Some(window), _) => Shade::Window(window),
                (None, Some(table)) => Shade::Table(table),
                (None, None) => full(),
            },
        };
        let inverted = decoded.photometric == Photometric::Monochrome1;
        let mut rgb = Vec::with_capacity(values.len() * 3);
        for (&stored, &value) in stored.iter().zip(&values) {
            // Padding is background, whatever its number and the polarity.
            let shade = match is_image(stored) {
                false => 0.0,
                true if inverted => 1.0 - shade.of(value),
                true => shade.of(value),
            };
            rgb.extend([shade as f32; 3]);
        }
        Ok(rgb)
    }

    /// Least and greatest value that stands for "no pixel here".
    fn padding(&self, layout: &Layout) -> Result<Option<[f64; 2]>, DicomError> {
        let attributes = self.attributes();
        let signed = layout.sample_type == SampleType::Signed;
        // Without an explicit VR the sign was not known when the file was read.
        let value = |name, tag| -> Result<Option<f64>, DicomError> {
            let found = attributes.integer(name, tag)?;
            Ok(found.map(|v| {
                if signed && layout.bits_allocated == 16 { f64::from(v as i16) } else { v as f64 }
            }))
        };
        let Some(one) = value("PixelPaddingValue", tags::PIXEL_PADDING_VALUE)? else {
            return Ok(None);
        };
        let limit =
            value("PixelPaddingRangeLimit", tags::PIXEL_PADDING_RANGE_LIMIT)?.unwrap_or(one);
        Ok(Some([one.min(limit), one.max(limit)]))
    }

    fn modality_transform(&self, frame: u32) -> Result<ModalityTransform, DicomError> {
        if let Some(item) = self.attributes().item(tags::MODALITY_LUT_SEQUENCE) {
            let name = "ModalityLUTData";
            if let Some(table) = Lut::read(&item, name, tags::LUT_DESCRIPTOR, tags::LUT_DATA)? {
                return Ok(ModalityTransform::Table(table));
            }
        }
        let attributes = self.scope(frame).group(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
        let slope = attributes.decimal(tags::RESCALE_SLOPE).filter(|&slope| slope != 0.0);
        let intercept = attributes.decimal(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
        Ok(ModalityTransform::Linear { slope: slope.unwrap_or(1.0), intercept })
    }

    /// Values after the modality transform: Hounsfield units of CT, for instance. Row by row; grey frames only.
    ///
    /// # Errors
    /// What [`DicomFile::frame`] refuses, colours, a table of no use.
    pub fn modality_values(&self, frame: u32) -> Result<Vec<f64>, DicomError> {
        self.values_of(&self.frame(frame)?, frame)
    }

    /// As [`DicomFile::modality_values`], of a frame that is decoded already.
    ///
    /// # Errors
    /// Colours, a table of no use.
    pub fn values_of(&self, decoded: &Frame, frame: u32) -> Result<Vec<f64>, DicomError> {
        if !decoded.photometric.is_grey() {
            let reason = "colours have no modality values".to_owned();
            return Err(DicomError::UnsupportedPixels { reason });
        }
        let modality = self.modality_transform(frame)?;
        Ok(decoded.samples.to_f64().iter().map(|&value| modality.apply(value)).collect())
    }

    /// Stored values that are no image but what lies around it: the least and the greatest, if there are any.
    ///
    /// # Errors
    /// What [`Layout::read`] refuses, a padding value that is no number.
    pub fn padding_values(&self) -> Result<Option<[f64; 2]>, DicomError> {
        self.padding(&Layout::read(self)?)
    }

    /// Whether the file shows grey by a table, which no window replaces.
    pub fn has_voi_table(&self, frame: u32) -> bool {
        let group = self.scope(frame).group(tags::FRAME_VOILUT_SEQUENCE);
        group.item(tags::VOILUT_SEQUENCE).is_some()
    }
}

enum ModalityTransform {
    Linear { slope: f64, intercept: f64 },
    Table(Lut),
}

impl ModalityTransform {
    fn apply(&self, value: f64) -> f64 {
        match self {
            Self::Linear { slope, intercept } => value * slope + intercept,
            Self::Table(table) => table.value(value),
        }
    }
}

enum Shade {
    Window(Window),
    Table(Lut),
    Range(f64, f64),
}

impl Shade {
    /// 0..1; what is no number is black.
    fn of(&self, value: f64) -> f64 {
        let shade = match self {
            Self::Window(Window { center, width, shape, .. }) => match shape {
                WindowShape::Linear if *width <= 1.0 => f64::from(value > center - 0.5),
                WindowShape::Linear => (value - (center - 0.5)) / (width - 1.0) + 0.5,
                WindowShape::LinearExact => (value - center) / width + 0.5,
                WindowShape::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
            },
            Self::Table(table) => table.value(value) / table.full_scale(),
            Self::Range(low, high) if high > low => (value - low) / (high - low),
            Self::Range(..) => 0.0,
        };
        if shade.is_nan() { 0.0 } else { shade.clamp(0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(center: f64, width: f64, shape: WindowShape) -> Shade {
        Shade::Window(Window { center, width, shape, name: None })
    }

    #[test]
    fn windows_follow_the_formulas_of_the_standard() {
        // PS3.3 C.11.2.1.2.1: c 2048, w 4096 maps 0 to the least and 4095 to the greatest output.
        let linear = window(2048.0, 4096.0, WindowShape::Linear);
        assert_eq!((linear.of(0.0), linear.of(4095.0)), (0.0, 1.0));
        assert!((linear.of(2047.5) - 0.5).abs() < 1e-12);
        // w 1 is a threshold: c 100 has 99 black, 100 white.
        let step = window(100.0, 1.0, WindowShape::Linear);
        assert_eq!((step.of(99.0), step.of(100.0)), (0.0, 1.0));
        let exact = window(40.0, 400.0, WindowShape::LinearExact);
        assert_eq!((exact.of(-160.0), exact.of(40.0), exact.of(240.0)), (0.0, 0.5, 1.0));
        assert_eq!(window(0.0, 10.0, WindowShape::Sigmoid).of(0.0), 0.5);
        assert_eq!(window(0.0, 10.0, WindowShape::Sigmoid).of(f64::NAN), 0.0);
    }
}

//! Masks and boxes drawn over the picture.

use std::path::Path;

use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage};
use medley_infer::{Analysis, Image, Mask, Output};

/// A colour and what to call it in the legend.
type Colour = (&'static str, [u8; 3]);

/// Colours that people with any colour vision tell apart (Okabe and Ito 2008), then lighter ones for pictures
/// of many tasks.
const COLOURS: [Colour; 12] = [
    ("orange", [230, 159, 0]),
    ("sky blue", [86, 180, 233]),
    ("green", [0, 158, 115]),
    ("yellow", [240, 228, 66]),
    ("blue", [0, 114, 178]),
    ("red", [213, 94, 0]),
    ("pink", [204, 121, 167]),
    ("white", [255, 255, 255]),
    ("lime", [160, 255, 80]),
    ("cyan", [0, 255, 255]),
    ("violet", [150, 90, 255]),
    ("brown", [150, 100, 60]),
];

/// Share of a mask's colour in a pixel that it covers.
const OPACITY: f32 = 0.4;

/// Length of the picture's longer side for each pixel of a box's line.
const SIDE_PER_LINE: u32 = 400;

/// Writes the picture with the masks and boxes of all tasks as PNG, and gives the legend: one line for the file
/// and one for each class that is seen on it.
///
/// # Errors
/// A file that cannot be written.
pub fn write(image: &Image, analysis: &Analysis, target: &Path) -> Result<Vec<String>> {
    let (canvas, legend) = draw(image, analysis);
    canvas
        .save_with_format(target, ImageFormat::Png)
        .with_context(|| format!("the overlay {} cannot be written", target.display()))?;
    let mut lines = vec![format!("wrote {}", target.display())];
    lines.extend(legend);
    Ok(lines)
}

/// The picture with the masks and boxes of all tasks, and a line for each class that is seen on it.
pub fn draw(image: &Image, analysis: &Analysis) -> (RgbImage, Vec<String>) {
    let bytes = image.pixels().flatten().map(|value| (value * 255.0).round() as u8).collect();
    // The lengths agree by the invariant of `Image`; an empty canvas would only draw nothing.
    let mut canvas = RgbImage::from_raw(image.width(), image.height(), bytes).unwrap_or_default();
    let mut palette = COLOURS.iter().cycle();
    let mut legend = Vec::new();
    let mut next = |task: &str, class: &str| {
        let (name, colour) = *palette.next().unwrap_or(&COLOURS[0]);
        legend.push(format!("  {name}: {task} / {class}"));
        colour
    };
    // Masks first, so that no mask covers a line.
    for result in &analysis.results {
        let Output::Mask(mask) = &result.output else { continue };
        let seen = mask.counts();
        let colours: Vec<Option<[u8; 3]>> = mask
            .classes
            .iter()
            .zip(seen)
            .enumerate()
            .map(|(index, (class, count))| {
                (index > 0 && count > 0).then(|| next(&result.task, class))
            })
            .collect();
        blend(&mut canvas, mask, &colours);
    }
    let line = 1 + canvas.width().max(canvas.height()) / SIDE_PER_LINE;
    for result in &analysis.results {
        let Output::Boxes(boxes) = &result.output else { continue };
        let mut classes: Vec<(&str, [u8; 3])> = Vec::new();
        // The least certain first, so that the most certain lies on top.
        for found in boxes.iter().rev() {
            let known = classes.iter().find(|(class, _)| *class == found.class);
            let colour = known.map(|(_, colour)| *colour).unwrap_or_else(|| {
                let colour = next(&result.task, &found.class);
                classes.push((&found.class, colour));
                colour
            });
            outline(&mut canvas, found.bbox, line, colour);
        }
    }
    (canvas, legend)
}

fn blend(canvas: &mut RgbImage, mask: &Mask, colours: &[Option<[u8; 3]>]) {
    for (pixel, &index) in canvas.pixels_mut().zip(&mask.indices) {
        let Some(Some(colour)) = colours.get(index as usize) else { continue };
        for (value, over) in pixel.0.iter_mut().zip(colour) {
            let mixed = f32::from(*value) * (1.0 - OPACITY) + f32::from(*over) * OPACITY;
            *value = mixed.round() as u8;
        }
    }
}

/// A rectangle of lines `width` pixels wide, inside the box and the picture.
fn outline(canvas: &mut RgbImage, [x0, y0, x1, y1]: [f32; 4], width: u32, colour: [u8; 3]) {
    let side = |value: f32, length: u32| (value.max(0.0) as u32).min(length.saturating_sub(1));
    let (left, right) = (side(x0, canvas.width()), side(x1.ceil() - 1.0, canvas.width()));
    let (top, bottom) = (side(y0, canvas.height()), side(y1.ceil() - 1.0, canvas.height()));
    for y in top..=bottom {
        for x in left..=right {
            let inner = x >= left + width && x + width <= right;
            if inner && y >= top + width && y + width <= bottom {
                continue;
            }
            canvas.put_pixel(x, y, Rgb(colour));
        }
    }
}

#[cfg(test)]
mod tests {
    use medley_infer::{DetectedBox, TaskResult, Timing};
    use medley_package::TaskKind;

    use super::*;

    #[test]
    fn masks_tint_and_boxes_outline_and_the_legend_names_what_is_seen() {
        let image = Image::from_gray8(20, 10, &[100; 200]).unwrap();
        let mut indices = vec![0; 200];
        indices[0] = 1;
        let mask = Mask {
            width: 20,
            height: 10,
            classes: ["background", "lung", "unseen"].map(String::from).to_vec(),
            indices,
        };
        let found = DetectedBox {
            // Reaches over the right border.
            bbox: [10.0, 2.0, 40.0, 8.0],
            class: "cell".into(),
            class_index: 0,
            score: 0.9,
        };
        let result = |task: &str, kind, output| TaskResult { task: task.into(), kind, output };
        let analysis = Analysis {
            results: vec![
                result("where", TaskKind::Detection, Output::Boxes(vec![found])),
                result("area", TaskKind::Segmentation, Output::Mask(mask)),
            ],
            embedding: vec![],
            timing: Timing::default(),
        };
        let (canvas, legend) = draw(&image, &analysis);
        assert_eq!(canvas.dimensions(), (20, 10));
        assert_eq!(legend, ["  orange: area / lung", "  sky blue: where / cell"]);
        // 0.6 · 100 + 0.4 · (230, 159, 0)
        assert_eq!(canvas.get_pixel(0, 0).0, [152, 124, 60]);
        assert_eq!(canvas.get_pixel(10, 2).0, COLOURS[1].1);
        assert_eq!(canvas.get_pixel(19, 7).0, COLOURS[1].1);
        assert_eq!(canvas.get_pixel(12, 4).0, [100; 3]);
        assert_eq!(canvas.get_pixel(19, 8).0, [100; 3]);
    }

    #[test]
    fn a_box_on_a_picture_of_one_pixel_is_drawn() {
        let mut canvas = RgbImage::new(1, 1);
        outline(&mut canvas, [0.0, 0.0, 0.4, 0.4], 1, [9; 3]);
        assert_eq!(canvas.get_pixel(0, 0).0, [9; 3]);
    }
}

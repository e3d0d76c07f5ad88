//! Mean average precision of boxes.
//!
//! Everingham et al., *The PASCAL VOC challenge* (2010), with the area under the whole curve.

/// A box that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detected {
    /// Which image.
    pub image: usize,
    /// x0, y0, x1, y1 in pixels.
    pub bbox: [f32; 4],
    /// Which class.
    pub class: usize,
    /// How sure, 0..1.
    pub score: f32,
}

/// A box that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Which image.
    pub image: usize,
    /// x0, y0, x1, y1 in pixels.
    pub bbox: [f32; 4],
    /// Which class.
    pub class: usize,
}

/// Mean over the classes that are there of the average precision: a found box is right if it
/// overlaps a box of its class, not yet found by a surer one, by at least `least_iou`.
pub fn mean_average_precision(
    found: &[Detected],
    truth: &[Truth],
    classes: usize,
    least_iou: f32,
) -> f64 {
    let present: Vec<f64> = (0..classes)
        .filter(|class| truth.iter().any(|truth| truth.class == *class))
        .map(|class| average_precision(found, truth, class, least_iou))
        .collect();
    if present.is_empty() { 0.0 } else { present.iter().sum::<f64>() / present.len() as f64 }
}

fn average_precision(found: &[Detected], truth: &[Truth], class: usize, least_iou: f32) -> f64 {
    let images = truth.iter().map(|t| t.image + 1).max().unwrap_or(0);
    let mut of_image: Vec<Vec<([f32; 4], bool)>> = vec![Vec::new(); images];
    for t in truth.iter().filter(|t| t.class == class) {
        of_image[t.image].push((t.bbox, false));
    }
    let total: usize = of_image.iter().map(Vec::len).sum();
    let mut found: Vec<&Detected> = found.iter().filter(|found| found.class == class).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));

    let mut curve = Vec::with_capacity(found.len());
    let mut right = 0usize;
    for (index, found) in found.iter().enumerate() {
        let best = of_image
            .get_mut(found.image)
            .into_iter()
            .flatten()
            .map(|entry| (iou(&entry.0, &found.bbox), entry))
            .filter(|(overlap, entry)| *overlap >= least_iou && !entry.1)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, entry)) = best {
            entry.1 = true;
            right += 1;
        }
        curve.push((right as f64 / total as f64, right as f64 / (index + 1) as f64));
    }
    // Precision made monotone from the right, then the area below it.
    let mut area = 0.0;
    let mut best = 0f64;
    let mut recall_above = curve.last().map_or(0.0, |point| point.0);
    for &(recall, precision) in curve.iter().rev() {
        area += (recall_above - recall) * best;
        best = best.max(precision);
        recall_above = recall;
    }
    area + recall_above * best
}

fn iou(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let shared = width * height;
    let area = |r: &[f32; 4]| (r[2] - r[0]) * (r[3] - r[1]);
    let union = area(a) + area(b) - shared;
    if union > 0.0 { shared / union } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(image: usize, x: f32) -> Truth {
        Truth { image, bbox: [x, 0.0, x + 10.0, 10.0], class: 0 }
    }

    fn found(image: usize, x: f32, score: f32) -> Detected {
        Detected { image, bbox: [x, 0.0, x + 10.0, 10.0], class: 0, score }
    }

    #[test]
    fn all_found_and_nothing_else_is_one() {
        let all = [found(0, 0.0, 0.9), found(1, 50.0, 0.4)];
        assert_eq!(mean_average_precision(&all, &[truth(0, 0.0), truth(1, 50.0)], 1, 0.5), 1.0);
    }

    #[test]
    fn the_second_box_on_one_object_is_wrong() {
        let all = [found(0, 0.0, 0.9), found(0, 1.0, 0.8), found(0, 50.0, 0.7)];
        let value = mean_average_precision(&all, &[truth(0, 0.0), truth(0, 50.0)], 1, 0.5);
        // Half of the recall at precision 1, half at 2/3.
        assert!((value - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12, "{value}");
    }

    #[test]
    fn a_sure_mistake_lowers_the_figure_and_a_late_one_does_not() {
        let truth = [truth(0, 0.0)];
        let early = [found(0, 50.0, 0.9), found(0, 0.0, 0.5)];
        let late = [found(0, 50.0, 0.1), found(0, 0.0, 0.5)];
        assert_eq!(mean_average_precision(&early, &truth, 1, 0.5), 0.5);
        assert_eq!(mean_average_precision(&late, &truth, 1, 0.5), 1.0);
    }

    #[test]
    fn boxes_on_another_picture_do_not_count() {
        assert_eq!(mean_average_precision(&[found(1, 0.0, 0.9)], &[truth(0, 0.0)], 1, 0.5), 0.0);
    }
}

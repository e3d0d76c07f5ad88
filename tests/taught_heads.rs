//! Heads taught with a few real images, on the shipped encoder.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use burn::tensor::Device;
use medley_data::{Database, Example, Split, Target};
use medley_head::{Head, Scope, Stroke, fit_images, fit_strokes};
use medley_infer::{AnalyzeOptions, Medley, PixelFeatures};
use medley_package::{MANIFEST_FILE, read_dir};
use medley_tests::{checkout, real_data};
use pollster::block_on;

/// Model and database, where both are there.
fn real(test: &str) -> Option<(Medley, Database)> {
    let folder = checkout().join("www/models/medley-nano");
    let database = Database::open(real_data(test)?).unwrap();
    if !folder.join(MANIFEST_FILE).is_file() {
        eprintln!("SKIPPED {test}: no model at {}", folder.display());
        return None;
    }
    let package = read_dir(&folder).unwrap();
    Some((block_on(Medley::load(package.clone(), &Device::flex())).unwrap(), database))
}

/// `each` images of every class, evenly from the split.
fn of_each_class(
    database: &Database,
    task: &str,
    split: Split,
    each: usize,
) -> Vec<(Example, usize)> {
    let all = database.examples(task, split).unwrap();
    let classes = database.task(task).unwrap().classes.len();
    let label = |example: &Example| match &example.target {
        Target::Class(class) => *class,
        _ => unreachable!("a task of classification"),
    };
    (0..classes)
        .flat_map(|class| {
            let own: Vec<&Example> = all.iter().filter(|example| label(example) == class).collect();
            assert!(own.len() >= each, "{task}, class {class}: {}", own.len());
            let pick = |i: usize| (own[i * own.len() / each].clone(), class);
            (0..each).map(pick).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn eight_images_of_each_class_teach_a_head_that_knows_how_good_it_is() {
    let Some((medley, database)) = real("taught heads for images") else { return };
    let task = "brain-tumour-type";
    let options = AnalyzeOptions::default();
    let embed = |split, each| -> (Vec<Vec<f32>>, Vec<usize>) {
        of_each_class(&database, task, split, each)
            .iter()
            .map(|(example, class)| {
                let image = example.read_image().unwrap();
                (block_on(medley.embed(&image, &options)).unwrap(), *class)
            })
            .unzip()
    };
    let (rows, labels) = embed(Split::Train, 8);
    let (other_rows, other_labels) = embed(Split::Val, 15);
    let classes = database.task(task).unwrap().classes.clone();
    let refs: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let fitted = fit_images(&refs, &labels, classes.len()).unwrap();
    let estimate = fitted.estimate.unwrap();
    let chance = 1.0 / classes.len() as f64;
    let head =
        Head::new(medley.lesson(Scope::Image, task, classes, None).unwrap(), fitted).unwrap();
    let head = Head::from_bytes(&head.to_bytes().unwrap()).unwrap();
    let right = other_rows.iter().zip(&other_labels).filter(|(row, label)| {
        let answer = medley.classify(&head, row).unwrap();
        let best = (0..answer.len())
            .max_by(|&a, &b| answer[a].probability.total_cmp(&answer[b].probability));
        best == Some(**label)
    });
    let found = right.count() as f64 / other_labels.len() as f64;
    println!("{task}: {found:.3} of {} images; estimated {estimate:?}", other_labels.len());
    assert!(found > chance + 0.2, "{found} where chance is {chance}");
    assert!(found > estimate.low - 0.1 && found < estimate.high + 0.1, "{found}, {estimate:?}");
}

/// Pixels of every seventh row where the mask says `class`, at most `most`.
fn brush(features: &PixelFeatures, mask: &[u8], class: u8, row: usize, most: usize) -> Stroke {
    let width = features.width() as usize;
    let pixels: Vec<[u32; 2]> = (0..width)
        .filter(|x| mask[row * width + x] == class)
        .map(|x| [x as u32, row as u32])
        .take(most)
        .collect();
    features.stroke(usize::from(class), &pixels)
}

#[test]
fn strokes_on_two_images_teach_a_head_for_pixels() {
    let Some((medley, database)) = real("taught heads for pixels") else { return };
    let task = "lungs";
    let classes = database.task(task).unwrap().classes.clone();
    let lesson = medley.lesson(Scope::Pixel, task, classes.clone(), None).unwrap();
    let options = AnalyzeOptions::default();
    let seen = |split: Split, count: usize| -> Vec<(PixelFeatures, Vec<u8>)> {
        let all = database.examples(task, split).unwrap();
        (0..count)
            .map(|i| {
                let example = &all[i * all.len() / count];
                let image = example.read_image().unwrap();
                let way = lesson.presentation;
                let features = block_on(medley.pixel_features(&image, way, &options)).unwrap();
                (features, example.read_mask(classes.len()).unwrap().unwrap())
            })
            .collect()
    };
    let strokes: Vec<Stroke> = seen(Split::Train, 2)
        .iter()
        .flat_map(|(features, mask)| {
            let height = features.height() as usize;
            let rows = (1..8).map(move |i| i * height / 8);
            rows.flat_map(move |row| {
                (0..2u8).map(move |class| brush(features, mask, class, row, 120))
            })
        })
        .filter(|stroke| !stroke.rows.is_empty())
        .collect();
    let fitted = fit_strokes(&strokes, classes.len()).unwrap();
    println!("{} strokes, estimated {:?}", strokes.len(), fitted.estimate);
    let head = Head::new(lesson.clone(), fitted).unwrap();
    let (mut both, mut sum) = (0, 0);
    for (features, truth) in seen(Split::Val, 5) {
        let mask = medley.segment(&head, &features).unwrap();
        assert_eq!(mask.indices.len(), truth.len());
        let pairs = || mask.indices.iter().zip(&truth);
        both += pairs().filter(|(a, b)| **a == 1 && **b == 1).count();
        sum += pairs().map(|(a, b)| usize::from(*a == 1) + usize::from(*b == 1)).sum::<usize>();
    }
    let dice = 2.0 * both as f64 / sum as f64;
    println!("{task}: Dice {dice:.3} on five images");
    assert!(dice > 0.7, "{dice}");
}

//! Weight packages and taught heads.

use medley_head::{Head, Lesson, Scope, fit_images};
use medley_package::testing::package;
use medley_package::{Presentation, split};

use super::Seed;

/// A package with a task of each kind, and its manifest.
pub(super) fn packages() -> Vec<Seed> {
    let bytes = package().to_bytes().unwrap();
    let (manifest, _) = split("medley-test", &bytes, 1000);
    vec![
        Seed::new("manifest.json", manifest.to_json().unwrap()),
        Seed::new("package.safetensors", bytes),
    ]
}

/// A head for images and one for pixels.
pub(super) fn heads() -> Vec<Seed> {
    [("image.head", Scope::Image), ("pixel.head", Scope::Pixel)]
        .map(|(name, scope)| Seed::new(name, head(scope).to_bytes().unwrap()))
        .into()
}

fn head(scope: Scope) -> Head {
    let rows: Vec<Vec<f32>> = (0..12_u8)
        .map(|i| (0..4).map(|j| f32::from(i % 3 * 7 + j * i % 5) * 0.1).collect())
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let labels: Vec<usize> = (0..12).map(|i| i % 3).collect();
    let lesson = Lesson {
        scope,
        name: "marks".into(),
        classes: vec!["plain".into(), "crept".into(), "spots".into()],
        encoder: "ab".repeat(32),
        presentation: Presentation::Whole { size: 160 },
    };
    Head::new(lesson, fit_images(&rows, &labels, 3).unwrap()).unwrap()
}

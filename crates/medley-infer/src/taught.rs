//! Heads that a person teaches with a few examples, on this model's features.

use medley_head::{Head, Lesson, Scope};
use medley_image::Image;
use medley_package::Presentation;

use crate::analysis::{AnalyzeOptions, ClassProbability, Mask};
use crate::error::InferError;
use crate::medley::Medley;
use crate::pixels::PixelFeatures;

impl Medley {
    /// What a head of this model is about. A head for pixels may see pictures as the task `like` does: tiles show finer
    /// structures. Heads for images see them whole, as [`embed`](Self::embed) does, whatever `like` says.
    ///
    /// # Errors
    /// Classes that cannot be, an unknown task.
    pub fn lesson(
        &self,
        scope: Scope,
        name: &str,
        classes: Vec<String>,
        like: Option<&str>,
    ) -> Result<Lesson, InferError> {
        let like = like.filter(|_| scope == Scope::Pixel);
        let presentation = self.presentation_like(like)?;
        let encoder = self.encoder_digest().to_owned();
        let lesson = Lesson { scope, name: name.into(), classes, encoder, presentation };
        lesson.check()?;
        Ok(lesson)
    }

    /// How the task `like` looks at pictures; whole ones if none is named.
    ///
    /// # Errors
    /// An unknown task.
    pub fn presentation_like(&self, like: Option<&str>) -> Result<Presentation, InferError> {
        let Some(name) = like else {
            return Ok(self.embedding_presentation());
        };
        Ok(self.task(name)?.presentation)
    }

    /// The embedding of a picture, for heads that answer for whole images: mean and deviation of each channel of the pyramid's
    /// first three maps.
    ///
    /// # Errors
    /// Cancellation, a failing device.
    pub async fn embed(
        &self,
        image: &Image,
        options: &AnalyzeOptions,
    ) -> Result<Vec<f32>, InferError> {
        let options = AnalyzeOptions { tasks: Some(Vec::new()), ..options.clone() };
        Ok(self.analyze(image, &options).await?.embedding)
    }

    /// The answer of a head to an embedding of this model.
    ///
    /// # Errors
    /// A head that was taught on another encoder.
    pub fn classify(
        &self,
        head: &Head,
        embedding: &[f32],
    ) -> Result<Vec<ClassProbability>, InferError> {
        head.check_encoder(self.encoder_digest())?;
        let probabilities = head.probabilities(embedding)?;
        let named = head.lesson.classes.iter().zip(probabilities);
        Ok(named
            .map(|(name, probability)| ClassProbability { name: name.clone(), probability })
            .collect())
    }

    /// The answer of a head for every pixel of a picture.
    ///
    /// # Errors
    /// A head that was taught on another encoder.
    pub fn segment(&self, head: &Head, features: &PixelFeatures) -> Result<Mask, InferError> {
        head.check_encoder(self.encoder_digest())?;
        features.mask(head)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use medley_head::{HeadError, Stroke, fit_images, fit_strokes};
    use medley_package::{Package, PackedTensor};
    use pollster::block_on;

    use super::*;
    use crate::testing::{package, tasks};

    fn model() -> Medley {
        block_on(Medley::load(fixed(), &Device::flex())).unwrap()
    }

    /// The test package with the same weights each time: how well textures can be told apart hangs on them.
    fn fixed() -> Package {
        let (mut package, _) = package(&tasks());
        let mut state = 1u64;
        for tensor in package.tensors.values_mut() {
            let PackedTensor::Float { shape, data } = tensor else { continue };
            // Norms and biases keep their ones and zeros.
            if shape.len() < 2 {
                continue;
            }
            let reach = (6.0 / shape[1..].iter().product::<usize>() as f32).sqrt();
            for value in data {
                // Knuth's generator (MMIX); its upper bits are good enough for weights.
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *value = reach * ((state >> 40) as f32 / (1 << 23) as f32 - 1.0);
            }
        }
        package
    }

    /// Fine bright squares where `fine` says so, coarse dark ones elsewhere: enough for random weights.
    fn squares(width: u32, height: u32, phase: u32, fine: impl Fn(u32) -> bool) -> Image {
        let values = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let (side, dark) = if fine(x) { (3, 0.4) } else { (11, 0.0) };
                [dark + 0.6 * (((x + phase) / side + (y + phase) / side) % 2) as f32; 3]
            })
            .collect();
        Image::new(width, height, values).unwrap()
    }

    #[test]
    fn a_head_for_images_tells_textures_apart_and_knows_how_well() {
        let model = model();
        let options = AnalyzeOptions::default();
        let embed = |kind: u32, phase: u32| {
            let picture = squares(61 + phase, 47, phase, |_| kind == 1);
            block_on(model.embed(&picture, &options)).unwrap()
        };
        let rows: Vec<Vec<f32>> = (0..16).map(|i| embed(i % 2, i)).collect();
        let labels: Vec<usize> = (0..16).map(|i| i % 2).collect();
        let refs: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let fitted = fit_images(&refs, &labels, 2).unwrap();
        assert!(fitted.estimate.unwrap().accuracy > 0.9, "{:?}", fitted.estimate);

        let classes = vec!["coarse".to_owned(), "fine".to_owned()];
        let lesson = model.lesson(Scope::Image, "texture", classes, None).unwrap();
        assert_eq!(lesson.presentation, Presentation::Whole { size: 64 });
        let head = Head::new(lesson, fitted).unwrap();
        let head = Head::from_bytes(&head.to_bytes().unwrap()).unwrap();
        let answer = model.classify(&head, &embed(1, 31)).unwrap();
        assert_eq!(answer[1].name, "fine");
        assert!(answer[1].probability > 0.6, "{answer:?}");

        // The same shapes with other weights: another encoder.
        let other = model_of_other_weights();
        let error = other.classify(&head, &rows[0]).unwrap_err();
        assert!(matches!(error, InferError::Taught(HeadError::Encoder { .. })), "{error}");
    }

    fn model_of_other_weights() -> Medley {
        let mut package = fixed();
        let name = package.tensors.keys().find(|name| name.starts_with("encoder")).unwrap().clone();
        if let Some(PackedTensor::Float { data, .. }) = package.tensors.get_mut(&name) {
            data[0] += 0.5;
        }
        block_on(Medley::load(package, &Device::flex())).unwrap()
    }

    #[test]
    fn a_head_for_pixels_answers_at_the_pictures_size_and_on_its_encoder_alone() {
        let model = model();
        let options = AnalyzeOptions::default();
        for like in [None, Some("vessels")] {
            let classes = vec!["coarse".to_owned(), "fine".to_owned()];
            let lesson = model.lesson(Scope::Pixel, "texture", classes, like).unwrap();
            let picture = squares(131, 97, 0, |x| x >= 70);
            let features =
                block_on(model.pixel_features(&picture, lesson.presentation, &options)).unwrap();
            let line = |class: usize, from: u32, y: u32| -> Stroke {
                let pixels: Vec<[u32; 2]> = (from..from + 45).map(|x| [x, y]).collect();
                features.stroke(class, &pixels)
            };
            let strokes = [line(0, 8, 20), line(1, 95, 20), line(0, 8, 70), line(1, 95, 70)];
            let head = Head::new(lesson, fit_strokes(&strokes, 2).unwrap()).unwrap();
            let mask = model.segment(&head, &features).unwrap();
            assert_eq!((mask.width, mask.height, mask.indices.len()), (131, 97, 131 * 97));
            let error = model_of_other_weights().segment(&head, &features).unwrap_err();
            assert!(matches!(error, InferError::Taught(HeadError::Encoder { .. })), "{error}");
        }
    }

    #[test]
    fn lessons_that_cannot_be_are_refused() {
        let model = model();
        let two = || vec!["a".to_owned(), "b".to_owned()];
        let error = model.lesson(Scope::Pixel, "x", two(), Some("nothing")).unwrap_err();
        assert!(matches!(error, InferError::UnknownTask { .. }));
        let error = model.lesson(Scope::Image, "x", vec!["a".into()], None).unwrap_err();
        assert!(matches!(error, InferError::Taught(HeadError::Classes { .. })));
    }
}

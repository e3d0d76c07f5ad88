//! The losses beside those of the tasks: agreement of views, and distillation.

use burn::tensor::{Device, Tensor};
use medley_data::MixedBatch;
use medley_model::{Features, MedleyModel};

use crate::config::{DistillationConfig, SelfSupervisionConfig, TrainConfig};
use crate::error::TrainError;
use crate::losses::{agreement_of_views, relations};
use crate::packaged::packaged_model;

/// What a run's configuration asks for beside its tasks.
pub(crate) struct Beside {
    self_supervision: Option<SelfSupervisionConfig>,
    /// Views of a picture in the batches of each task.
    views: Vec<usize>,
    teacher: Option<Teacher>,
}

struct Teacher {
    /// Without autodiff: nothing of it is trained.
    model: MedleyModel,
    weight: f64,
}

/// One loss.
pub(crate) struct BesideLoss {
    /// As the log calls it.
    pub(crate) name: &'static str,
    /// The loss, in the graph.
    pub(crate) loss: Tensor<1>,
    /// Factor on it.
    pub(crate) weight: f64,
}

impl Beside {
    /// `device`: without autodiff.
    ///
    /// # Errors
    /// A teacher's package that cannot be read.
    pub(crate) fn of(config: &TrainConfig, device: &Device) -> Result<Self, TrainError> {
        let teacher =
            config.distillation.as_ref().map(|it| Teacher::load(it, device)).transpose()?;
        Ok(Self {
            self_supervision: config.self_supervision.clone(),
            views: config.tasks.iter().map(|task| task.views).collect(),
            teacher,
        })
    }

    /// Those of a batch; `pictures`: its images, `features`: of the model that is trained.
    ///
    /// # Errors
    /// A batch that the teacher cannot take.
    pub(crate) fn losses(
        &self,
        batch: &MixedBatch,
        pictures: Tensor<4>,
        features: &Features,
    ) -> Result<Vec<BesideLoss>, TrainError> {
        let mut all = Vec::new();
        if let Some(asked) = &self.self_supervision {
            let same = self.pictures(batch);
            let embedding = features.embedding.clone();
            if let Some(loss) = agreement_of_views(embedding, &same, asked.temperature) {
                all.push(BesideLoss { name: "self-supervision", loss, weight: asked.weight });
            }
        }
        if let Some(teacher) = &self.teacher {
            let target = teacher.model.encode(pictures.inner())?.embedding;
            let loss = relations(features.embedding.clone(), Tensor::from_inner(target));
            all.push(BesideLoss { name: "distillation", loss, weight: teacher.weight });
        }
        Ok(all)
    }

    /// For each image of a batch the first view of the same picture.
    fn pictures(&self, batch: &MixedBatch) -> Vec<usize> {
        let of_part = |part: &medley_data::Part| {
            let views = self.views[part.task];
            let first = part.range.start;
            part.range.clone().map(move |image| first + (image - first) / views * views)
        };
        batch.parts.iter().flat_map(of_part).collect()
    }
}

impl Teacher {
    fn load(config: &DistillationConfig, device: &Device) -> Result<Self, TrainError> {
        let (model, _) = packaged_model("distillation.package", &config.package, device)?;
        Ok(Self { model, weight: config.weight })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use medley_data::Part;

    #[test]
    fn views_of_a_picture_have_one_number_and_others_their_own() {
        let beside = Beside { self_supervision: None, views: vec![1, 2, 3], teacher: None };
        let part = |task, range| Part { task, range, targets: Vec::new() };
        let parts = vec![part(0, 0..2), part(1, 2..6), part(2, 6..9)];
        let batch = MixedBatch { pixels: Vec::new(), n: 9, size: 32, parts, step: 0 };
        assert_eq!(beside.pictures(&batch), [0, 1, 2, 2, 4, 4, 6, 6, 6]);
    }
}

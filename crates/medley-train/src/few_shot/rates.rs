//! Which parameters a mode trains, and at which share of the rate.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use medley_model::MedleyModel;

use super::recipe::Recipe;

/// Parameters that are stepped together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RateGroup {
    /// Their highest learning rate.
    pub(crate) rate: f64,
    /// Which.
    pub(crate) parameters: Vec<ParamId>,
}

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trained {
    /// Decoders and head.
    AfterEncoder,
    /// Everything, deeper parts of the encoder faster.
    Graded,
    /// Everything at one rate.
    Everything,
}

/// The groups of a mode. The parts are told apart by the weights' paths, which the package's format fixes too.
pub(crate) fn rate_groups(
    model: &MedleyModel,
    trained: Trained,
    recipe: &Recipe,
) -> Vec<RateGroup> {
    let mut paths = Paths::default();
    model.visit(&mut paths);
    let stages = paths.found.iter().filter_map(|(path, _)| stage(path)).max().unwrap_or(0);
    // By the rate's bits, to which equal rates are equal.
    let mut groups: BTreeMap<u64, Vec<ParamId>> = BTreeMap::new();
    for (path, id) in paths.found {
        let part = path.split('.').next().unwrap_or_default();
        let rate = match (trained, part) {
            (Trained::AfterEncoder, "encoder" | "squeezer") => continue,
            (Trained::AfterEncoder, _) => recipe.frozen_rate,
            (Trained::Everything, _) => recipe.scratch_rate,
            (Trained::Graded, "encoder") => {
                let below = stages - stage(&path).unwrap_or(stages);
                let factor = recipe.stage_factor.powi(below as i32);
                recipe.finetune_rate * recipe.encoder_factor * factor
            }
            (Trained::Graded, "squeezer") => recipe.finetune_rate * recipe.encoder_factor,
            (Trained::Graded, _) => recipe.finetune_rate,
        };
        groups.entry(rate.to_bits()).or_default().push(id);
    }
    groups
        .into_iter()
        .map(|(rate, parameters)| RateGroup { rate: f64::from_bits(rate), parameters })
        .collect()
}

/// How deep in the encoder: 0 for what lies before the stages, then from 1. None elsewhere, and for the encoder's
/// last normalisation, which counts as its deepest part.
fn stage(path: &str) -> Option<usize> {
    let mut parts = path.split('.').skip_while(|part| *part != "encoder").skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            "stem" | "patch_embed" => return Some(0),
            "stages" => return parts.peek()?.parse::<usize>().ok().map(|index| index + 1),
            _ => {}
        }
    }
    None
}

#[derive(Default)]
struct Paths {
    path: Vec<String>,
    found: Vec<(String, ParamId)>,
}

impl ModuleVisitor for Paths {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((self.path.join("."), param.id));
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use medley_model::{ModelConfig, SwinConfig};

    use super::*;

    #[test]
    fn deeper_stages_learn_faster_and_a_frozen_encoder_not_at_all() {
        let _alone = crate::alone::alone();
        let recipe = Recipe { encoder_factor: 0.1, ..Recipe::default() };
        for config in [ModelConfig::micro(vec![]), ModelConfig::swin(SwinConfig::micro(), vec![])] {
            let model = config.init(&Device::flex()).unwrap();
            let groups = rate_groups(&model, Trained::Graded, &recipe);
            let mut rates: Vec<f64> = groups.iter().map(|group| group.rate).collect();
            rates.sort_by(f64::total_cmp);
            let deepest = recipe.finetune_rate * recipe.encoder_factor;
            // Stem, four stages (the squeezer with the last), and decoders.
            let wanted: Vec<f64> = (0..5)
                .rev()
                .map(|below| deepest * recipe.stage_factor.powi(below))
                .chain([recipe.finetune_rate])
                .collect();
            assert_eq!(rates.len(), wanted.len());
            for (rate, wanted) in rates.iter().zip(&wanted) {
                assert!((rate - wanted).abs() < 1e-12, "{rates:?} {wanted:?}");
            }

            let trained = rate_groups(&model, Trained::AfterEncoder, &recipe);
            let all = rate_groups(&model, Trained::Everything, &recipe);
            assert_eq!((trained.len(), all.len()), (1, 1));
            let shared = model.shared_parameters();
            assert!(all[0].parameters.len() >= shared.len());
            let frozen = all[0].parameters.len() - trained[0].parameters.len();
            let encoder: usize = groups
                .iter()
                .filter(|group| group.rate < recipe.finetune_rate)
                .map(|group| group.parameters.len())
                .sum();
            assert_eq!(frozen, encoder);
        }
    }
}

//! Names of the weights in torchvision's `SwinTransformer`.

/// The name under which torchvision stores the encoder's parameter at `path`, a module path
/// relative to [`SwinEncoder`](super::SwinEncoder); `None` where the encoder has no such path.
///
/// Tensors of two axes are weights of linear layers: `[out, in]` there, `[in, out]` here.
/// All others have the same shape. What torchvision stores beyond these
/// (`relative_coords_table`, `relative_position_index`, `head`) has no place here.
///
/// | here | torchvision |
/// |---|---|
/// | `patch_embed.proj`, `patch_embed.norm` | `features.0.0`, `features.0.2` |
/// | `stages.i.blocks.j` | `features.(2i+1).j` |
/// | `stages.i.merging` | `features.(2i)` |
/// | `mlp.fc1`, `mlp.fc2` | `mlp.0`, `mlp.3` |
/// | `cpb_mlp.hidden`, `cpb_mlp.output` | `cpb_mlp.0`, `cpb_mlp.2` |
/// | `gamma`, `beta` of norms | `weight`, `bias` |
pub fn torchvision_name(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('.').collect();
    match segments.as_slice() {
        ["patch_embed", "proj", leaf] => Some(format!("features.0.0.{}", linear_leaf(leaf)?)),
        ["patch_embed", "norm", leaf] => Some(format!("features.0.2.{}", norm_leaf(leaf)?)),
        ["stages", stage, "merging", rest @ ..] => {
            let feature = 2 * stage.parse::<usize>().ok()?;
            Some(format!("features.{feature}.{}", merging_name(rest)?))
        }
        ["stages", stage, "blocks", block, rest @ ..] => {
            let feature = 2 * stage.parse::<usize>().ok()? + 1;
            let block = block.parse::<usize>().ok()?;
            Some(format!("features.{feature}.{block}.{}", block_name(rest)?))
        }
        ["norm", leaf] => Some(format!("norm.{}", norm_leaf(leaf)?)),
        _ => None,
    }
}

fn merging_name(rest: &[&str]) -> Option<String> {
    match rest {
        ["reduction", "weight"] => Some("reduction.weight".to_owned()),
        ["norm", leaf] => Some(format!("norm.{}", norm_leaf(leaf)?)),
        _ => None,
    }
}

fn block_name(rest: &[&str]) -> Option<String> {
    match rest {
        ["attn", "logit_scale"] => Some("attn.logit_scale".to_owned()),
        ["attn", layer @ ("qkv" | "proj"), leaf] => {
            Some(format!("attn.{layer}.{}", linear_leaf(leaf)?))
        }
        ["attn", "cpb_mlp", "hidden", leaf] => {
            Some(format!("attn.cpb_mlp.0.{}", linear_leaf(leaf)?))
        }
        ["attn", "cpb_mlp", "output", "weight"] => Some("attn.cpb_mlp.2.weight".to_owned()),
        ["mlp", "fc1", leaf] => Some(format!("mlp.0.{}", linear_leaf(leaf)?)),
        ["mlp", "fc2", leaf] => Some(format!("mlp.3.{}", linear_leaf(leaf)?)),
        [norm @ ("norm1" | "norm2"), leaf] => Some(format!("{norm}.{}", norm_leaf(leaf)?)),
        _ => None,
    }
}

fn linear_leaf(leaf: &str) -> Option<&str> {
    matches!(leaf, "weight" | "bias").then_some(leaf)
}

fn norm_leaf(leaf: &str) -> Option<&'static str> {
    match leaf {
        "gamma" => Some("weight"),
        "beta" => Some("bias"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_the_encoder_does_not_have_get_no_name() {
        for path in ["", "head.weight", "stages.x.merging.norm.gamma", "norm.weight", "stages.0"] {
            assert_eq!(torchvision_name(path), None, "{path}");
        }
    }
}

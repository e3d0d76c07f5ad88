//! The loss without labels: views of one picture agree.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Tensor, TensorData};

/// Kept away from a division by the length of an embedding of zeros.
const LEAST_SQUARE: f64 = 1e-8;

/// In place of the similarity of a view to itself, which is no question.
const NEVER: f64 = -1e4;

/// For each view, which of all others in the batch shows the same picture: cross-entropy over the cosines of embeddings,
/// divided by ln of the number of others, so that a blind guess costs 1 (Chen et al., *SimCLR*, 2020). There is no
/// projection of its own: what few-shot learning reads are the maps well before the embedding.
///
/// None where no picture has two views.
///
/// # Shapes
/// - embedding: `[batch, channels]`
/// - pictures: for each image the number of the picture that it is a view of
pub fn agreement_of_views(
    embedding: Tensor<2>,
    pictures: &[usize],
    temperature: f64,
) -> Option<Tensor<1>> {
    let n = pictures.len();
    let device = embedding.device();
    let mut positives = vec![0f32; n * n];
    let mut anchors = 0_u32;
    for (at, row) in positives.chunks_exact_mut(n.max(1)).enumerate() {
        let views = |&other: &usize| other != at && pictures[other] == pictures[at];
        let views: Vec<usize> = (0..n).filter(views).collect();
        anchors += u32::from(!views.is_empty());
        for &view in &views {
            row[view] = 1.0 / views.len() as f32;
        }
    }
    if anchors == 0 || n < 3 {
        return None;
    }
    let length = (embedding.clone().square().sum_dim(1) + LEAST_SQUARE).sqrt();
    let direction = embedding / length;
    let similar = direction.clone().matmul(direction.transpose()) / temperature;
    let itself: Vec<bool> = (0..n * n).map(|at| at / n == at % n).collect();
    let itself = Tensor::<2, Bool>::from_data(TensorData::new(itself, [n, n]), &device);
    let log_share = log_softmax(similar.mask_fill(itself, NEVER), 1);
    let positives = Tensor::<2>::from_data(TensorData::new(positives, [n, n]), &device);
    let scale = -1.0 / (f64::from(anchors) * ((n - 1) as f64).ln());
    Some((log_share * positives).sum() * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn equal_embeddings_cost_one_and_views_that_agree_almost_nothing() {
        let device = Device::flex();
        let pictures = [0, 0, 1, 1, 2];
        let blind = agreement_of_views(Tensor::ones([5, 4], &device), &pictures, 0.2).unwrap();
        // Rounding of exp and ln in f32.
        assert!((blind.into_scalar::<f32>() - 1.0).abs() < 1e-5);
        let apart = Tensor::<2>::from_floats(
            [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 1.0]],
            &device,
        );
        let right = agreement_of_views(apart.clone(), &pictures, 0.1).unwrap();
        assert!(right.into_scalar::<f32>() < 1e-3);
        let wrong = agreement_of_views(apart, &[0, 1, 0, 1, 2], 0.1).unwrap();
        assert!(wrong.into_scalar::<f32>() > 5.0);
    }

    #[test]
    fn its_gradient_pulls_views_together_and_stays_finite_at_zero() {
        let device = Device::flex().autodiff();
        let start = Tensor::<2>::from_floats([[1.0, 0.2], [0.2, 1.0], [-1.0, -1.0]], &device);
        let embedding = start.require_grad();
        let loss = agreement_of_views(embedding.clone(), &[0, 0, 1], 0.5).unwrap();
        let gradients = loss.backward();
        let gradient =
            embedding.grad(&gradients).unwrap().into_data().try_into_vec::<f32>().unwrap();
        // Against the gradient the first view turns towards the second: up.
        assert!(gradient[1] < 0.0 && gradient[0] > 0.0, "{gradient:?}");

        let zeros = Tensor::<2>::zeros([3, 2], &device).require_grad();
        let loss = agreement_of_views(zeros.clone(), &[0, 0, 1], 0.5).unwrap();
        let gradients = loss.backward();
        let gradient = zeros.grad(&gradients).unwrap().into_data().try_into_vec::<f32>().unwrap();
        assert!(gradient.iter().all(|value| value.is_finite()), "{gradient:?}");
    }

    #[test]
    fn without_two_views_there_is_no_loss() {
        let embedding = Tensor::<2>::ones([3, 2], &Device::flex());
        assert!(agreement_of_views(embedding, &[0, 1, 2], 0.2).is_none());
    }
}

//! Distillation of an embedding: pictures that are alike to the teacher are to be alike to the student.

use burn::tensor::Tensor;

/// Kept away from a division by zero, where all embeddings are the same.
const LEAST: f64 = 1e-6;

/// Squared difference of the cosines between all pairs of a batch's embeddings, each less the batch's mean, by the
/// square of the teacher's: a student that sees no relation costs 1 (after Tung and Mori, *Similarity-preserving
/// knowledge distillation*, 2019). The two may have any number of channels.
///
/// # Shapes
/// - student: `[batch, channels]`
/// - teacher: `[batch, its channels]`, out of the graph
pub fn relations(student: Tensor<2>, teacher: Tensor<2>) -> Tensor<1> {
    let teacher = cosines(teacher);
    let difference = cosines(student) - teacher.clone();
    difference.square().mean() / (teacher.square().mean() + LEAST)
}

/// Cosines between the rows, less their mean: `[batch, batch]`. Those of a row with itself are one on both sides.
fn cosines(rows: Tensor<2>) -> Tensor<2> {
    let [batch, _] = rows.dims();
    let centred = rows.clone() - rows.mean_dim(0);
    let length = (centred.clone().square().sum_dim(1) + LEAST).sqrt();
    let direction = centred / length;
    let others = Tensor::<2>::ones([batch, batch], &direction.device())
        - Tensor::<2>::eye(batch, &direction.device());
    direction.clone().matmul(direction.transpose()) * others
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn rows(values: [[f32; 2]; 4]) -> Tensor<2> {
        Tensor::from_floats(values, &Device::flex())
    }

    #[test]
    fn turned_and_scaled_embeddings_have_the_same_relations() {
        let teacher = [[1.0, 0.0], [0.9, 0.2], [-1.0, 0.1], [0.0, -1.0]];
        let turned = teacher.map(|[x, y]| [-3.0 * y + 5.0, 3.0 * x - 1.0]);
        let loss = relations(rows(turned), rows(teacher)).into_scalar::<f32>();
        // Rounding of f32, and the constant below the root.
        assert!(loss < 1e-6, "{loss}");
        let other =
            relations(rows([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.1], [-1.0, 0.1]]), rows(teacher));
        assert!(other.into_scalar::<f32>() > 0.5);
    }

    #[test]
    fn a_student_that_sees_no_relation_costs_one() {
        let teacher = rows([[1.0, 0.0], [0.9, 0.2], [-1.0, 0.1], [0.0, -1.0]]);
        let loss = relations(Tensor::ones([4, 7], &Device::flex()), teacher).into_scalar::<f32>();
        assert!((loss - 1.0).abs() < 1e-4, "{loss}");
    }
}

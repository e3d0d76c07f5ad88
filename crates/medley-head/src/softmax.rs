//! From logits to probabilities.

/// Probabilities that add up to 1: softmax of `logits / temperature`.
pub fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    // The largest is taken off first, so that no exponential overflows.
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut values: Vec<f32> =
        logits.iter().map(|&v| ((v - largest) / temperature).exp()).collect();
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|v| *v /= sum);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_adds_up_and_survives_large_logits() {
        let p = softmax(&[1e30, 0.0, -1e30], 1.0);
        assert_eq!(p, [1.0, 0.0, 0.0]);
        let p = softmax(&[2.0f32.ln(), 0.0], 1.0);
        // exp(ln 2) and one division: a few ulps.
        assert!((p[0] - 2.0 / 3.0).abs() < 1e-6 && (p[0] + p[1] - 1.0).abs() < 1e-6);
        let p = softmax(&[4.0f32.ln(), 0.0], 2.0);
        assert!((p[0] - 2.0 / 3.0).abs() < 1e-6);
    }
}

//! What identifies the encoder and the decoders of a package, whatever heads it has.

use sha2::{Digest, Sha256};

use crate::container::Package;
use crate::digest::{PART, hexadecimal};
use crate::tensor::PackedTensor;

/// Tensors that belong to one task, or to none.
const OWN: [&str; 2] = ["heads.", "self_test."];

impl Package {
    /// SHA-256 over names, shapes and stored values of all tensors that tasks share, in 64 hexadecimal digits.
    ///
    /// What was learned on an encoder's features is of use on these weights only, and stays so when tasks are added.
    pub fn shared_digest(&self) -> String {
        let mut sum = Sha256::new();
        for (name, tensor) in &self.tensors {
            if OWN.iter().any(|own| name.starts_with(own)) {
                continue;
            }
            sum.update(name.as_bytes());
            // Ends the name, which holds no zero, so that no two lists of tensors read the same.
            sum.update([0]);
            for &side in tensor.shape() {
                sum.update((side as u64).to_le_bytes());
            }
            match tensor {
                PackedTensor::Float { data, .. } => floats(&mut sum, data),
                PackedTensor::Int8 { data, scale, .. } => {
                    for part in data.chunks(PART) {
                        let bytes: Vec<u8> = part.iter().map(|&v| v as u8).collect();
                        sum.update(bytes);
                    }
                    floats(&mut sum, scale);
                }
            }
        }
        hexadecimal(&sum.finalize())
    }
}

fn floats(sum: &mut Sha256, values: &[f32]) {
    for part in values.chunks(PART / size_of::<f32>()) {
        let bytes: Vec<u8> = part.iter().flat_map(|v| v.to_le_bytes()).collect();
        sum.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use crate::PackedTensor;
    use crate::testing::package;

    #[test]
    fn heads_do_not_count_and_every_shared_value_does() {
        let mut package = package();
        let float = |data: Vec<f32>| PackedTensor::Float { shape: vec![data.len()], data };
        package.tensors.insert("encoder.x".into(), float(vec![1.0, 2.0]));
        let digest = package.shared_digest();
        assert_eq!(digest.len(), 64);

        package.tensors.insert("heads.0.weight".into(), float(vec![7.0]));
        assert_eq!(package.shared_digest(), digest);
        package.tensors.insert("encoder.x".into(), float(vec![1.0, 2.5]));
        assert_ne!(package.shared_digest(), digest);
        let moved = package.tensors.remove("encoder.x").unwrap();
        package.tensors.insert("encoder.y".into(), moved);
        assert_ne!(package.shared_digest(), digest);
    }
}

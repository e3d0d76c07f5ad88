//! Makes weight packages: quantization, self-test, model card.

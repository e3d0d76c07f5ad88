//! Architecture of the Medley models: encoder, squeezer, decoders, heads.

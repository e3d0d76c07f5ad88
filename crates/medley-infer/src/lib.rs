//! The way of an image: decode, prepare, encode once, heads, undo the preparation, results.

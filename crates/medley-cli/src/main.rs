//! The command medley: pretrain, evaluate, predict, export, info.
fn main() {}

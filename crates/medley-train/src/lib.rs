//! Multi-task training of Medley: losses, loops, checkpoints, metrics.

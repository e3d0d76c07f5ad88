//! Your own data: every format's importer on pictures that the tests draw, and the check of a database.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod check;
mod coco;
mod folders;
mod masks;
mod medmnist;
mod place;
mod publish;
mod voc;
mod yolo;

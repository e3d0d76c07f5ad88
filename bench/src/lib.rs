//! What the benchmarks beside other engines share.

mod models;
mod peak;
mod rows;
mod visits;

pub use models::make_models;
pub use peak::peak_memory;
pub use rows::{MEDLEY, Row, alone, chart, spread, table};
pub use visits::visits;

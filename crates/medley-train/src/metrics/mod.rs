//! The figures by which tasks are measured.

mod average_precision;
mod calibration;
mod dice;
mod f1;

pub use average_precision::{Detected, Truth, mean_average_precision};
pub use calibration::{Answered, calibration_error, temperature};
pub use dice::{DiceTally, PooledDice};
pub use f1::macro_f1;

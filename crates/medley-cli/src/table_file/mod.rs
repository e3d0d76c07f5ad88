//! Tables in files, as CSV or Parquet by the ending of the name; written as they grow.

mod csv_file;
mod parquet_file;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::exit::BadInput;
use csv_file::CsvFile;
use parquet_file::ParquetFile;

/// Number type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Whole,
    Decimal,
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    Whole(i64),
    Decimal(f64),
}

/// A table that is being written. Without `finish` a Parquet file is not complete.
pub enum TableFile {
    Csv(Box<CsvFile>),
    Parquet(Box<ParquetFile>),
}

impl TableFile {
    /// Makes the file.
    ///
    /// # Errors
    /// An ending that is neither `.csv` nor `.parquet`, a file that cannot be made.
    pub fn create(path: &Path, columns: &[(String, Kind)]) -> Result<Self> {
        if is(path, "csv") {
            Ok(Self::Csv(Box::new(CsvFile::create(path, columns)?)))
        } else {
            Ok(Self::Parquet(Box::new(ParquetFile::create(path, columns)?)))
        }
    }

    /// Adds a row, as many cells as there are columns.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn row(&mut self, cells: Vec<Cell>) -> Result<()> {
        match self {
            Self::Csv(file) => file.row(&cells),
            Self::Parquet(file) => file.row(cells),
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::Csv(file) => file.finish(),
            Self::Parquet(file) => file.finish(),
        }
    }
}

/// A path of an option whose file is a table.
pub fn path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if is(&path, "csv") || is(&path, "parquet") {
        Ok(path)
    } else {
        Err("expected a file name ending in .csv or .parquet".into())
    }
}

fn is(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> BadInput {
    BadInput(format!("the table {} cannot be written: {error}", path.display()))
}

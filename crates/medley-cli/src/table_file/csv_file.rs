//! CSV by RFC 4180: commas, a header, quotes where they must be; empty cells for what is not there.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Cell, Kind, unwritable};

pub struct CsvFile {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl CsvFile {
    pub fn create(path: &Path, columns: &[(String, Kind)]) -> Result<Self> {
        let writer = csv::Writer::from_path(path).map_err(|error| unwritable(path, &error))?;
        let mut file = Self { path: path.to_path_buf(), writer };
        file.record(columns.iter().map(|(name, _)| name.clone()))?;
        Ok(file)
    }

    pub fn row(&mut self, cells: &[Cell]) -> Result<()> {
        self.record(cells.iter().map(|cell| match cell {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Whole(value) => value.to_string(),
            Cell::Decimal(value) => value.to_string(),
        }))
    }

    pub fn finish(mut self) -> Result<()> {
        self.writer.flush().map_err(|error| unwritable(&self.path, &error))?;
        Ok(())
    }

    fn record(&mut self, fields: impl Iterator<Item = String>) -> Result<()> {
        self.writer.write_record(fields).map_err(|error| unwritable(&self.path, &error))?;
        // A run of hours that is stopped keeps what it has.
        self.writer.flush().map_err(|error| unwritable(&self.path, &error))?;
        Ok(())
    }
}

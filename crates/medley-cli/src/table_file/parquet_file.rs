//! Parquet: every column may be empty, and groups of rows are written as they fill.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{Cell, Kind, unwritable};

/// Cells that are kept before they are written.
const CELLS_IN_GROUP: usize = 1 << 20;

pub struct ParquetFile {
    path: PathBuf,
    kinds: Vec<Kind>,
    rows: Vec<Vec<Cell>>,
    writer: SerializedFileWriter<File>,
}

impl ParquetFile {
    pub fn create(path: &Path, columns: &[(String, Kind)]) -> Result<Self> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        let writer = open(file, columns).map_err(|error| unwritable(path, &error))?;
        let kinds = columns.iter().map(|(_, kind)| *kind).collect();
        Ok(Self { path: path.to_path_buf(), kinds, rows: Vec::new(), writer })
    }

    pub fn row(&mut self, cells: Vec<Cell>) -> Result<()> {
        self.rows.push(cells);
        if self.rows.len() * self.kinds.len() >= CELLS_IN_GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<()> {
        self.write_group()?;
        self.writer.close().map_err(|error| unwritable(&self.path, &error))?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let written = self.writer.next_row_group().and_then(|mut group| {
            for (column, kind) in self.kinds.iter().enumerate() {
                write_column(&mut group, rows.iter().map(|row| &row[column]), *kind)?;
            }
            group.close().map(drop)
        });
        written.map_err(|error| unwritable(&self.path, &error).into())
    }
}

fn open(
    file: File,
    columns: &[(String, Kind)],
) -> Result<SerializedFileWriter<File>, ParquetError> {
    let mut fields = Vec::with_capacity(columns.len());
    for (name, kind) in columns {
        let (physical, logical) = match kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Whole => (Physical::INT64, None),
            Kind::Decimal => (Physical::DOUBLE, None),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()?;
        fields.push(Arc::new(field));
    }
    let schema = Type::group_type_builder("medley").with_fields(fields).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
}

/// Empty cells have definition level 0 and no value.
fn write_column<'a>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    cells: impl Iterator<Item = &'a Cell> + Clone,
    kind: Kind,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let levels: Vec<i16> = cells.clone().map(|cell| i16::from(*cell != Cell::Empty)).collect();
    match kind {
        Kind::Text => {
            let values: Vec<ByteArray> = cells
                .filter_map(|cell| match cell {
                    Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                    _ => None,
                })
                .collect();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
        }
        Kind::Whole => {
            let values: Vec<i64> = cells
                .filter_map(|cell| if let Cell::Whole(value) = cell { Some(*value) } else { None })
                .collect();
            column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
        }
        Kind::Decimal => {
            let values: Vec<f64> = cells
                .filter_map(
                    |cell| if let Cell::Decimal(value) = cell { Some(*value) } else { None },
                )
                .collect();
            column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
        }
    }
    column.close()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn what_is_written_is_read_back_by_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let columns = [("a", Kind::Text), ("b", Kind::Whole), ("c", Kind::Decimal)]
            .map(|(n, k)| (n.into(), k));
        let mut file = ParquetFile::create(&path, &columns).unwrap();
        file.row(vec![Cell::Text("x,\"y\"".into()), Cell::Whole(-3), Cell::Empty]).unwrap();
        file.row(vec![Cell::Empty, Cell::Empty, Cell::Decimal(0.5)]).unwrap();
        file.finish().unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows, [r#"{a: "x,"y"", b: -3, c: null}"#, "{a: null, b: null, c: 0.5}"]);
    }
}

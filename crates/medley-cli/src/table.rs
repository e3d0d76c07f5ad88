//! Text in columns.

use std::fmt;

/// A table: columns as wide as their widest cell, numbers to the right.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these names over its columns.
    pub fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// Adds a row; a cell beyond the head's columns is left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().take(self.head.len()).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let columns: Vec<(usize, bool)> = self
            .head
            .iter()
            .enumerate()
            .map(|(column, name)| {
                let all = cells(column).chain([name]);
                let width = all.map(|cell| cell.chars().count()).max().unwrap_or(0);
                let number = cells(column).all(|cell| cell.parse::<f64>().is_ok());
                (width, number && !self.rows.is_empty())
            })
            .collect();
        for (index, row) in [&self.head].into_iter().chain(&self.rows).enumerate() {
            let mut line = String::new();
            for (cell, &(width, number)) in row.iter().zip(&columns) {
                let cell =
                    if number { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
                line.push_str(&cell);
            }
            if index > 0 {
                writeln!(f)?;
            }
            f.write_str(line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let mut table = Table::new(&["task", "n"]);
        table.row(["lungs".into(), "7".into()]);
        table.row(["a".into(), "120".into()]);
        assert_eq!(table.to_string(), "task     n\nlungs    7\na      120");
    }
}

//! The table of transfer syntaxes in the documentation is the one in the code.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::path::Path;

use medley_dicom::syntax_table;

#[test]
fn the_documented_table_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dicom.md");
    let text = std::fs::read_to_string(path).unwrap();
    let table = syntax_table();
    assert!(text.contains(&table), "docs/dicom.md should have this table:\n{table}");
}

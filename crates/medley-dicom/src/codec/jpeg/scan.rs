//! Walking over the minimum coded units of a scan, the same for DCT and lossless.

use super::header::{Header, Reader, SCAN, ScanHeader, Tables};
use crate::codec::Fault;

/// Calls `scan` with each scan header, the tables in force and the data; it gives the number of bytes it used.
/// Ends when each component was there once.
pub(super) fn each_scan(
    header: &Header,
    bytes: &[u8],
    mut scan: impl FnMut(&ScanHeader, &Tables, &[u8]) -> Result<usize, Fault>,
) -> Result<(), Fault> {
    let mut reader = Reader::new(bytes)?;
    let mut tables = Tables::default();
    let mut seen = vec![false; header.components.len()];
    while let Some(segment) = reader.next_segment()? {
        if segment.code != SCAN {
            tables.take(&segment)?;
            continue;
        }
        let found = header.scan(segment.content)?;
        for (component, ..) in &found.components {
            if std::mem::replace(&mut seen[*component], true) {
                return Err("a component is coded twice".into());
            }
        }
        let used = scan(&found, &tables, reader.data())?;
        reader.skip(used);
        if seen.iter().all(|&seen| seen) {
            return Ok(());
        }
    }
    Err("the image ends before its last component".into())
}

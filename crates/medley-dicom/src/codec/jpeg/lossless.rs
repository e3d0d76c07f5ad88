//! Lossless JPEG (T.81 annex H): all seven predictors, 2 to 16 bits.

use super::header::{Header, ScanHeader, Tables};
use super::huffman::{Bits, Table};
use super::scan::each_scan;
use crate::codec::Fault;

/// Samples, interleaved.
pub(super) fn decode(header: &Header, bytes: &[u8]) -> Result<Vec<i32>, Fault> {
    let same =
        |a: usize, b: usize| header.components.iter().all(|c| (c.horizontal, c.vertical) == (a, b));
    let first = &header.components[0];
    if !same(first.horizontal, first.vertical) {
        return Err("lossless components of different sizes are not read".into());
    }
    let channels = header.components.len();
    let mut values = vec![0; header.width as usize * header.height as usize * channels];
    each_scan(header, bytes, |scan, tables, data| {
        decode_scan(header, scan, tables, data, &mut values)
    })?;
    Ok(values)
}

fn decode_scan(
    header: &Header,
    scan: &ScanHeader,
    tables: &Tables,
    data: &[u8],
    values: &mut [i32],
) -> Result<usize, Fault> {
    if !(1..=7).contains(&scan.predictor) {
        return Err("the predictor is none of 1 to 7".into());
    }
    if scan.point_transform >= header.precision {
        return Err("the point transform is larger than the precision".into());
    }
    let (width, height) = (header.width as usize, header.height as usize);
    if !tables.restart.is_multiple_of(width) {
        return Err("a restart interval that is no number of whole lines is not read".into());
    }
    let lines_to_restart = tables.restart / width;
    let coders: Vec<(usize, &Table)> = scan
        .components
        .iter()
        .map(|&(component, table, _)| tables.dc[table].as_ref().map(|table| (component, table)))
        .collect::<Option<_>>()
        .ok_or("a Huffman table is missing")?;
    let channels = header.components.len();
    let stride = width * channels;
    let half = 1 << (header.precision - scan.point_transform - 1);
    let mut bits = Bits::new(data);
    for y in 0..height {
        let restarts = lines_to_restart != 0 && y % lines_to_restart == 0;
        if restarts && y != 0 {
            bits.restart()?;
        }
        let first_line = y == 0 || restarts;
        let (above, line) = values.split_at_mut(y * stride);
        let above = above.get(above.len().saturating_sub(stride)..).unwrap_or_default();
        for x in 0..width {
            for &(component, table) in &coders {
                let at = x * channels + component;
                let guess = if first_line {
                    if x == 0 { half } else { line[at - channels] }
                } else if x == 0 {
                    above[at]
                } else {
                    let (a, b, c) = (line[at - channels], above[at], above[at - channels]);
                    predict(scan.predictor, a, b, c)
                };
                let difference = match bits.symbol(table)? {
                    16 => 32_768,
                    size @ 0..16 => bits.signed(u32::from(size))?,
                    _ => return Err("a difference has more than 16 bits".into()),
                };
                line[at] = (guess + difference) & 0xFFFF;
            }
        }
    }
    if scan.point_transform != 0 {
        for &(component, _) in &coders {
            values.iter_mut().skip(component).step_by(channels).for_each(|value| {
                *value <<= scan.point_transform;
            });
        }
    }
    Ok(bits.consumed())
}

/// From the left, upper and upper left neighbour (table H.1).
fn predict(predictor: u8, a: i32, b: i32, c: i32) -> i32 {
    match predictor {
        1 => a,
        2 => b,
        3 => c,
        4 => a + b - c,
        5 => a + ((b - c) >> 1),
        6 => b + ((a - c) >> 1),
        _ => (a + b) >> 1,
    }
}

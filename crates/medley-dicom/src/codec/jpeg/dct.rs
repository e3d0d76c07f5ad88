//! Sequential DCT (T.81 annexes A and F), for 12 bits.

use super::header::{Header, ScanHeader, Tables};
use super::huffman::{Bits, Table};
use super::scan::each_scan;
use crate::codec::Fault;

/// Place in a block, row by row, of the coefficients in the order of the file.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A component's samples, padded to whole blocks.
struct Plane {
    width: usize,
    height: usize,
    stride: usize,
    samples: Vec<i32>,
}

/// Samples, interleaved; components of fewer samples are repeated.
pub(super) fn decode(header: &Header, bytes: &[u8]) -> Result<Vec<i32>, Fault> {
    let most = |of: fn(&super::header::Component) -> usize| {
        header.components.iter().map(of).max().unwrap_or(1)
    };
    let (across, down) = (most(|c| c.horizontal), most(|c| c.vertical));
    let (width, height) = (header.width as usize, header.height as usize);
    let (units_x, units_y) = (width.div_ceil(8 * across), height.div_ceil(8 * down));
    let mut planes: Vec<Plane> = header
        .components
        .iter()
        .map(|component| {
            let stride = units_x * component.horizontal * 8;
            let rows = units_y * component.vertical * 8;
            Plane {
                width: (width * component.horizontal).div_ceil(across),
                height: (height * component.vertical).div_ceil(down),
                stride,
                samples: vec![0; stride * rows],
            }
        })
        .collect();
    let cosines = cosines();
    each_scan(header, bytes, |scan, tables, data| {
        decode_scan(header, scan, tables, data, &mut planes, (units_x, units_y), &cosines)
    })?;
    let mut values = Vec::with_capacity(width * height * planes.len());
    for y in 0..height {
        for x in 0..width {
            for (plane, component) in planes.iter().zip(&header.components) {
                let (px, py) = (x * component.horizontal / across, y * component.vertical / down);
                values.push(plane.samples[py * plane.stride + px]);
            }
        }
    }
    Ok(values)
}

struct Coder<'a> {
    component: usize,
    dc: &'a Table,
    ac: &'a Table,
    quantization: &'a [f32; 64],
    last: i32,
}

fn decode_scan(
    header: &Header,
    scan: &ScanHeader,
    tables: &Tables,
    data: &[u8],
    planes: &mut [Plane],
    units: (usize, usize),
    cosines: &[[f32; 8]; 8],
) -> Result<usize, Fault> {
    let mut coders = Vec::with_capacity(scan.components.len());
    for &(component, dc, ac) in &scan.components {
        let slot = header.components[component].quantization;
        let quantization = tables.quantization.get(slot).and_then(Option::as_ref);
        coders.push(Coder {
            component,
            dc: tables.dc[dc].as_ref().ok_or("a Huffman table is missing")?,
            ac: tables.ac[ac].as_ref().ok_or("a Huffman table is missing")?,
            quantization: quantization.ok_or("a quantization table is missing")?,
            last: 0,
        });
    }
    let alone = coders.len() == 1;
    // A scan of one component has its own blocks only; else units hold blocks of all (A.2).
    let (units_x, units_y) = if alone {
        let plane = &planes[coders[0].component];
        (plane.width.div_ceil(8), plane.height.div_ceil(8))
    } else {
        units
    };
    let mut bits = Bits::new(data);
    for unit in 0..units_x * units_y {
        if tables.restart != 0 && unit != 0 && unit % tables.restart == 0 {
            bits.restart()?;
            coders.iter_mut().for_each(|coder| coder.last = 0);
        }
        let (ux, uy) = (unit % units_x, unit / units_x);
        for coder in &mut coders {
            let component = &header.components[coder.component];
            let (across, down) =
                if alone { (1, 1) } else { (component.horizontal, component.vertical) };
            for block in 0..across * down {
                let coefficients = read_block(&mut bits, coder)?;
                let (bx, by) = (ux * across + block % across, uy * down + block / across);
                let plane = &mut planes[coder.component];
                let at = by * 8 * plane.stride + bx * 8;
                inverse(
                    &coefficients,
                    cosines,
                    header.precision,
                    &mut plane.samples[at..],
                    plane.stride,
                );
            }
        }
    }
    Ok(bits.consumed())
}

/// Dequantized coefficients, row by row.
fn read_block(bits: &mut Bits<'_>, coder: &mut Coder<'_>) -> Result<[f32; 64], Fault> {
    let mut block = [0.0; 64];
    let size = bits.symbol(coder.dc)?;
    if size > 15 {
        return Err("a DC difference has more than 15 bits".into());
    }
    // Damaged data may add up beyond any sample: cut, so that the sum stays in range.
    coder.last = (coder.last + bits.signed(u32::from(size))?).clamp(-(1 << 20), 1 << 20);
    block[0] = coder.last as f32 * coder.quantization[0];
    let mut index = 1;
    while index < 64 {
        let symbol = bits.symbol(coder.ac)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if size == 0 {
            if run != 15 {
                break;
            }
            index += 16;
            continue;
        }
        index += run;
        let value = bits.signed(size)?;
        let place = *ZIGZAG.get(index).ok_or("a block has more than 64 coefficients")?;
        block[place] = value as f32 * coder.quantization[index];
        index += 1;
    }
    Ok(block)
}

/// `cosines[x][u]`: the basis of the transform (A.3.3), with its factors.
fn cosines() -> [[f32; 8]; 8] {
    std::array::from_fn(|x| {
        std::array::from_fn(|u| {
            let scale = if u == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
            let angle = (2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0;
            (0.5 * scale * angle.cos()) as f32
        })
    })
}

fn inverse(
    block: &[f32; 64],
    cosines: &[[f32; 8]; 8],
    precision: u32,
    target: &mut [i32],
    stride: usize,
) {
    let mut rows = [0.0; 64];
    for v in 0..8 {
        for x in 0..8 {
            rows[v * 8 + x] = (0..8).map(|u| block[v * 8 + u] * cosines[x][u]).sum();
        }
    }
    let (shift, highest) = ((1 << (precision - 1)) as f32, (1 << precision) - 1);
    for y in 0..8 {
        for x in 0..8 {
            let value: f32 = (0..8).map(|v| rows[v * 8 + x] * cosines[y][v]).sum();
            target[y * stride + x] = ((value + shift).round() as i32).clamp(0, highest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_dc_coefficient_is_a_flat_block() {
        let mut block = [0.0; 64];
        block[0] = 80.0;
        let mut target = [0; 64];
        inverse(&block, &cosines(), 12, &mut target, 8);
        // F(0,0)/8 is the mean.
        assert_eq!(target, [2048 + 10; 64]);
    }
}

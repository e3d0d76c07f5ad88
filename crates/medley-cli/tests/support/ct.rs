//! Slices of a CT, drawn here.

/// Columns and rows.
const SIDE: u16 = 48;

/// A slice of that series at that height in millimetres, Explicit VR Little Endian. Its identifier follows from both.
pub fn ct_slice(series: &str, z: f64) -> Vec<u8> {
    let class = "1.2.840.10008.5.1.4.1.1.2";
    let instance = format!("{series}.{}", z * 10.0);
    let position = format!("-20\\-30\\{z}");
    let mut file = [vec![0; 128], b"DICM".to_vec()].concat();
    let mut text = |group: u16, element: u16, vr: &str, value: &str| {
        let mut value = value.as_bytes().to_vec();
        if !value.len().is_multiple_of(2) {
            value.push(if vr == "UI" { 0 } else { b' ' });
        }
        put(&mut file, group, element, vr, &value);
    };
    text(0x0002, 0x0010, "UI", "1.2.840.10008.1.2.1");
    text(0x0008, 0x0016, "UI", class);
    text(0x0008, 0x0018, "UI", &instance);
    text(0x0008, 0x0060, "CS", "CT");
    text(0x0020, 0x000D, "UI", "1.2.7");
    text(0x0020, 0x000E, "UI", series);
    text(0x0020, 0x0032, "DS", &position);
    text(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0");
    text(0x0020, 0x0052, "UI", "1.2.7.9");
    let samples = 1_u16;
    put(&mut file, 0x0028, 0x0002, "US", &samples.to_le_bytes());
    put(&mut file, 0x0028, 0x0004, "CS", b"MONOCHROME2 ");
    for (element, value) in [(0x0010, SIDE), (0x0011, SIDE)] {
        put(&mut file, 0x0028, element, "US", &value.to_le_bytes());
    }
    put(&mut file, 0x0028, 0x0030, "DS", b"0.5\\0.8 ");
    for (element, value) in [(0x0100, 16_u16), (0x0101, 16), (0x0102, 15), (0x0103, 0)] {
        put(&mut file, 0x0028, element, "US", &value.to_le_bytes());
    }
    // A bright disc that grows with the height, in front of a slope.
    let radius = 8.0 + z;
    let value = |x: u16, y: u16| {
        let (dx, dy) = (f64::from(x) - 24.0, f64::from(y) - 20.0);
        if dx.hypot(dy) < radius { 1500 + x } else { 10 * y }
    };
    let pixels: Vec<u8> =
        (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| value(x, y).to_le_bytes())).collect();
    put(&mut file, 0x7FE0, 0x0010, "OW", &pixels);
    file
}

/// An element; the value's length is even.
fn put(file: &mut Vec<u8>, group: u16, element: u16, vr: &str, value: &[u8]) {
    file.extend(group.to_le_bytes());
    file.extend(element.to_le_bytes());
    file.extend(vr.as_bytes());
    if vr == "OW" {
        file.extend([0, 0]);
        file.extend((value.len() as u32).to_le_bytes());
    } else {
        file.extend((value.len() as u16).to_le_bytes());
    }
    file.extend(value);
}

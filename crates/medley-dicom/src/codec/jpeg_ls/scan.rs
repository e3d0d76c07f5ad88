//! Context modelling, prediction and run mode (T.87 annexes A and F).

use super::Fault;
use super::bits::Bits;
use super::header::{FrameHeader, Presets, ScanHeader};

const CONTEXTS: usize = 365;
/// Bits of run lengths (A.7.1.1, table A.1 of the text).
const RUN_BITS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];
const DEFAULT_RESET: i32 = 64;

/// Statistics of one context.
#[derive(Clone, Copy)]
struct Context {
    /// Sum of absolute errors.
    a: i32,
    /// Sum of errors.
    b: i32,
    /// Correction of the prediction.
    c: i32,
    /// Number of samples.
    n: i32,
}

/// Statistics of the samples that end a run.
#[derive(Clone, Copy)]
struct RunContext {
    a: i32,
    n: i32,
    negative: i32,
}

pub(super) struct Scan<'a> {
    bits: Bits<'a>,
    width: usize,
    height: usize,
    max: i32,
    near: i32,
    range: i32,
    limit: u32,
    wide: u32,
    thresholds: [i32; 3],
    reset: i32,
    contexts: Vec<Context>,
    run_contexts: [RunContext; 2],
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        frame: &FrameHeader,
        scan: &ScanHeader,
        presets: Option<&Presets>,
        bytes: &'a [u8],
    ) -> Result<Self, Fault> {
        let full = (1 << frame.precision) - 1;
        let preset = |of: fn(&Presets) -> i32| presets.map(of).filter(|&value| value != 0);
        let max = preset(|p| p.max).unwrap_or(full);
        let near = scan.near;
        if max > full || near > max / 2 {
            return Err("its greatest sample or its tolerance is out of range".into());
        }
        let mut thresholds = default_thresholds(max, near);
        for (at, value) in thresholds.iter_mut().enumerate() {
            if let Some(preset) = presets.map(|p| p.thresholds[at]).filter(|&t| t != 0) {
                *value = preset;
            }
        }
        let [t1, t2, t3] = thresholds;
        if t1 <= near || t2 < t1 || t3 < t2 || t3 > max {
            return Err("its thresholds are out of order".into());
        }
        let reset = preset(|p| p.reset).unwrap_or(DEFAULT_RESET);
        if reset < 3 {
            return Err("its reset value is below 3".into());
        }
        let range = (max + 2 * near) / (2 * near + 1) + 1;
        let wide = bits_for(range - 1);
        let bits_per_pixel = bits_for(max).max(2);
        let a = ((range + 32) / 64).max(2);
        Ok(Self {
            bits: Bits::new(bytes),
            width: frame.width as usize,
            height: frame.height as usize,
            max,
            near,
            range,
            limit: 2 * (bits_per_pixel + bits_per_pixel.max(8)),
            wide,
            thresholds,
            reset,
            contexts: vec![Context { a, b: 0, c: 0, n: 1 }; CONTEXTS],
            run_contexts: [RunContext { a, n: 1, negative: 0 }; 2],
        })
    }

    pub(super) fn consumed(&self) -> usize {
        self.bits.consumed()
    }

    /// One component, or several that take turns by lines. `values` are interleaved by `channels`.
    pub(super) fn by_line(
        &mut self,
        values: &mut [i32],
        channels: usize,
        first: usize,
        count: usize,
    ) -> Result<(), Fault> {
        let width = self.width;
        // One sample beyond each end: what is outside of the image has values too (A.2.1).
        let mut before = vec![vec![0; width + 2]; count];
        let mut line = vec![0; width + 2];
        let mut run_index = vec![0; count];
        for y in 0..self.height {
            for component in 0..count {
                let above = &mut before[component];
                line[0] = above[1];
                above[width + 1] = above[width];
                self.line(&mut line, above, &mut run_index[component])?;
                let at = y * width * channels + first + component;
                let targets = values[at..].iter_mut().step_by(channels);
                for (target, value) in targets.zip(&line[1..=width]) {
                    *target = *value;
                }
                std::mem::swap(above, &mut line);
            }
        }
        Ok(())
    }

    fn line(
        &mut self,
        line: &mut [i32],
        above: &[i32],
        run_index: &mut usize,
    ) -> Result<(), Fault> {
        let mut x = 1;
        while x <= self.width {
            let (ra, rb, rc, rd) = (line[x - 1], above[x], above[x - 1], above[x + 1]);
            let gradients = [rd - rb, rb - rc, rc - ra];
            if gradients.iter().any(|gradient| gradient.abs() > self.near) {
                line[x] = self.regular(gradients, ra, rb, rc)?;
                x += 1;
                continue;
            }
            let (length, ended) = self.run_length(self.width + 1 - x, run_index)?;
            line[x..x + length].fill(ra);
            x += length;
            if ended {
                line[x] = self.run_end(ra, above[x], *run_index)?;
                *run_index = run_index.saturating_sub(1);
                x += 1;
            }
        }
        Ok(())
    }

    /// Components that take turns by samples; they share runs.
    pub(super) fn by_sample(&mut self, values: &mut [i32], channels: usize) -> Result<(), Fault> {
        let width = self.width;
        let mut before = vec![vec![0; width + 2]; channels];
        let mut lines = before.clone();
        let mut run_index = 0;
        for y in 0..self.height {
            for (line, above) in lines.iter_mut().zip(&mut before) {
                line[0] = above[1];
                above[width + 1] = above[width];
            }
            let mut x = 1;
            while x <= width {
                let gradients = |line: &[i32], above: &[i32]| {
                    let (ra, rb, rc, rd) = (line[x - 1], above[x], above[x - 1], above[x + 1]);
                    [rd - rb, rb - rc, rc - ra]
                };
                let flat = lines.iter().zip(&before).all(|(line, above)| {
                    gradients(line, above).iter().all(|gradient| gradient.abs() <= self.near)
                });
                if !flat {
                    for (line, above) in lines.iter_mut().zip(&before) {
                        let gradients = gradients(line, above);
                        line[x] = self.regular(gradients, line[x - 1], above[x], above[x - 1])?;
                    }
                    x += 1;
                    continue;
                }
                let (length, ended) = self.run_length(width + 1 - x, &mut run_index)?;
                for line in &mut lines {
                    let value = line[x - 1];
                    line[x..x + length].fill(value);
                }
                x += length;
                if ended {
                    for (line, above) in lines.iter_mut().zip(&before) {
                        let (ra, rb) = (line[x - 1], above[x]);
                        let sign = if ra > rb { -1 } else { 1 };
                        let error = self.run_error(0, run_index)?;
                        line[x] = self.rebuild(rb, sign * error);
                    }
                    run_index = run_index.saturating_sub(1);
                    x += 1;
                }
            }
            for (channel, line) in lines.iter().enumerate() {
                let at = y * width * channels + channel;
                let targets = values[at..].iter_mut().step_by(channels);
                for (target, value) in targets.zip(&line[1..=width]) {
                    *target = *value;
                }
            }
            std::mem::swap(&mut before, &mut lines);
        }
        Ok(())
    }

    /// A sample by prediction from its neighbours (A.3 to A.6).
    fn regular(&mut self, gradients: [i32; 3], ra: i32, rb: i32, rc: i32) -> Result<i32, Fault> {
        let [q1, q2, q3] = gradients.map(|gradient| self.quantize(gradient));
        let index = 81 * q1 + 9 * q2 + q3;
        let sign = if index < 0 { -1 } else { 1 };
        let mut context = self.contexts[index.unsigned_abs() as usize];
        let guess = if rc >= ra.max(rb) {
            ra.min(rb)
        } else if rc <= ra.min(rb) {
            ra.max(rb)
        } else {
            ra + rb - rc
        };
        let guess = (guess + sign * context.c).clamp(0, self.max);
        let k = golomb_parameter(context.n, context.a);
        let mapped = self.code_word(k, self.limit)?;
        let turned = self.near == 0 && k == 0 && 2 * context.b <= -context.n;
        let error = match (turned, mapped & 1 == 0) {
            (false, true) => mapped / 2,
            (false, false) => -(mapped + 1) / 2,
            (true, true) => -(mapped / 2) - 1,
            (true, false) => (mapped - 1) / 2,
        };
        context.a += error.abs();
        context.b += error * (2 * self.near + 1);
        // Sums that only damaged data reach.
        if context.a > 1 << 24 || context.b.abs() > 1 << 24 {
            return Err("an error is out of range".into());
        }
        if context.n == self.reset {
            context.a >>= 1;
            context.b >>= 1;
            context.n >>= 1;
        }
        context.n += 1;
        if context.b <= -context.n {
            context.b = (context.b + context.n).max(1 - context.n);
            context.c = (context.c - 1).max(-128);
        } else if context.b > 0 {
            context.b = (context.b - context.n).min(0);
            context.c = (context.c + 1).min(127);
        }
        self.contexts[index.unsigned_abs() as usize] = context;
        Ok(self.rebuild(guess, sign * error))
    }

    /// A mapped error; more than the range holds is damage, and would overflow the sums.
    fn code_word(&mut self, k: u32, limit: u32) -> Result<i32, Fault> {
        let mapped = self.bits.golomb(k, limit, self.wide)?;
        if mapped > 2 * self.range {
            return Err("an error is out of range".into());
        }
        Ok(mapped)
    }

    fn quantize(&self, gradient: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let level = match gradient.abs() {
            size if size <= self.near => 0,
            size if size < t1 => 1,
            size if size < t2 => 2,
            size if size < t3 => 3,
            _ => 4,
        };
        level * gradient.signum()
    }

    /// Guess and error, modulo the range (A.4.5).
    fn rebuild(&self, guess: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let mut value = guess + error * step;
        if value < -self.near {
            value += self.range * step;
        } else if value > self.max + self.near {
            value -= self.range * step;
        }
        value.clamp(0, self.max)
    }

    /// Length of a run of at most `left` samples, and whether another sample ends it (A.7.1).
    fn run_length(&mut self, left: usize, run_index: &mut usize) -> Result<(usize, bool), Fault> {
        let mut length = 0;
        while self.bits.bit()? {
            let whole = 1 << RUN_BITS[*run_index];
            let count = whole.min(left - length);
            length += count;
            if count == whole {
                *run_index = (*run_index + 1).min(RUN_BITS.len() - 1);
            }
            if length == left {
                return Ok((length, false));
            }
        }
        length += self.bits.bits(RUN_BITS[*run_index])? as usize;
        if length >= left {
            return Err("a run is longer than its line".into());
        }
        Ok((length, true))
    }

    /// The sample that ends a run (A.7.2).
    fn run_end(&mut self, ra: i32, rb: i32, run_index: usize) -> Result<i32, Fault> {
        if (ra - rb).abs() <= self.near {
            let error = self.run_error(1, run_index)?;
            return Ok(self.rebuild(ra, error));
        }
        let sign = if ra > rb { -1 } else { 1 };
        let error = self.run_error(0, run_index)?;
        Ok(self.rebuild(rb, sign * error))
    }

    fn run_error(&mut self, kind: i32, run_index: usize) -> Result<i32, Fault> {
        let mut context = self.run_contexts[kind as usize];
        let k = golomb_parameter(context.n, context.a + kind * (context.n >> 1));
        let limit = self.limit - RUN_BITS[run_index] - 1;
        let mapped = self.code_word(k, limit)?;
        let double = mapped + kind;
        let odd = double & 1;
        let size = (double + odd) / 2;
        let expects_odd = i32::from(k != 0 || 2 * context.negative >= context.n);
        let error = if expects_odd == odd { -size } else { size };
        if error < 0 {
            context.negative += 1;
        }
        context.a += (mapped + 1 - kind) >> 1;
        if context.a > 1 << 24 {
            return Err("an error is out of range".into());
        }
        if context.n == self.reset {
            context.a >>= 1;
            context.n >>= 1;
            context.negative >>= 1;
        }
        context.n += 1;
        self.run_contexts[kind as usize] = context;
        Ok(error)
    }
}

/// Bits of numbers from 0 to `highest`.
fn bits_for(highest: i32) -> u32 {
    32 - highest.leading_zeros()
}

/// The least k with n · 2^k ≥ a (A.5.1).
fn golomb_parameter(n: i32, a: i32) -> u32 {
    let mut k = 0;
    while k < 24 && i64::from(n) << k < i64::from(a) {
        k += 1;
    }
    k
}

/// Default thresholds of the gradients (C.2.4.1.1.1).
fn default_thresholds(max: i32, near: i32) -> [i32; 3] {
    let clamp = |value: i32, least: i32| if value > max || value < least { least } else { value };
    let (basic, factor) = ([3, 7, 21], (max.min(4095) + 128) / 256);
    let [b1, b2, b3] = if max >= 128 {
        [factor * (basic[0] - 2) + 2, factor * (basic[1] - 3) + 3, factor * (basic[2] - 4) + 4]
    } else {
        let factor = 256 / (max + 1);
        [(basic[0] / factor).max(2), (basic[1] / factor).max(3), (basic[2] / factor).max(4)]
    };
    let t1 = clamp(b1 + 3 * near, near + 1);
    let t2 = clamp(b2 + 5 * near, t1);
    let t3 = clamp(b3 + 7 * near, t2);
    [t1, t2, t3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_thresholds_are_those_of_the_standard() {
        // T.87 table C.3 for 8 bits; 12 and 16 bits share a factor of 16.
        assert_eq!(default_thresholds(255, 0), [3, 7, 21]);
        assert_eq!(default_thresholds(4095, 0), [18, 67, 276]);
        assert_eq!(default_thresholds(65_535, 0), [18, 67, 276]);
    }
}

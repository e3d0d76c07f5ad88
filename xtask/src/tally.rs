//! Counting tests in what the test programs print.

use std::ops::AddAssign;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Tally {
    /// What one printed line reports; zero for any line that is no summary. Known are Rust's
    /// `test result: ok. 3 passed; 1 failed; …`, node's `# pass 3` or `ℹ fail 1`, vitest's
    /// `Tests  1 failed | 3 passed (4)` and this project's own `3 passed, 1 failed`.
    pub fn of_line(line: &str) -> Self {
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || ",;|".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            ["test", "result:", ..] | ["Tests", ..] => Self::before_words(&words),
            [passed, "passed", failed, "failed"] if is_count(passed) && is_count(failed) => {
                Self::before_words(&words)
            }
            ["#" | "ℹ", "pass", count] => Self { passed: parse(count), failed: 0 },
            ["#" | "ℹ", "fail", count] => Self { passed: 0, failed: parse(count) },
            _ => Self::default(),
        }
    }

    /// The numbers that stand before `passed` and `failed`.
    fn before_words(words: &[&str]) -> Self {
        let before = |name: &str| {
            words.windows(2).find(|pair| pair[1] == name).map_or(0, |pair| parse(pair[0]))
        };
        Self { passed: before("passed"), failed: before("failed") }
    }
}

fn is_count(word: &str) -> bool {
    word.parse::<usize>().is_ok()
}

fn parse(word: &str) -> usize {
    word.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_all_four_kinds_are_counted() {
        let count = |line: &str| {
            let tally = Tally::of_line(line);
            (tally.passed, tally.failed)
        };
        assert_eq!(count("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured"), (12, 0));
        assert_eq!(count("test result: FAILED. 3 passed; 2 failed; 0 ignored"), (3, 2));
        assert_eq!(count("# pass 7\n"), (7, 0));
        assert_eq!(count("ℹ fail 2"), (0, 2));
        assert_eq!(count("      Tests  1 failed | 5 passed (6)"), (5, 1));
        assert_eq!(count("9 passed, 1 failed"), (9, 1));
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["", "test a_thing ... ok", " Test Files  2 passed (2)", "he passed 3 failed"] {
            assert_eq!(Tally::of_line(line), Tally::default(), "{line}");
        }
    }
}

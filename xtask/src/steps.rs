//! Numbered, timed steps and the table of them at the end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::tally::Tally;
use crate::workspace::Workspace;

/// How a step ended that did not fail.
pub enum Finish {
    /// It did its work.
    Done,
    /// There was nothing to do.
    UpToDate,
    /// A step that it needs failed.
    NotRun,
    /// It means nothing on this machine, and why.
    Skipped(&'static str),
    /// It ran tests: how many, and the error if the program that ran them failed.
    Tests(Tally, Result<()>),
}

/// What a step does.
pub type Work = fn(&Workspace) -> Result<Finish>;

struct Row {
    title: String,
    outcome: String,
    failed: bool,
    time: Duration,
    tally: Tally,
}

/// Runs steps one after the other: a heading with number, the elapsed time, the outcome.
pub struct Steps {
    total: usize,
    begun: Instant,
    rows: Vec<Row>,
}

impl Steps {
    /// Makes ready for `total` steps.
    pub fn new(total: usize) -> Self {
        Self { total, begun: Instant::now(), rows: Vec::new() }
    }

    /// Runs a step that the following ones need: its error ends the task.
    pub fn must(&mut self, title: &str, work: impl FnOnce() -> Result<Finish>) -> Result<()> {
        let number = self.rows.len() + 1;
        self.step(title, work).with_context(|| {
            format!(
                "step {number} of {}, \"{title}\", failed; nothing after it was done",
                self.total
            )
        })
    }

    /// Runs a step whose failure is noted while the others go on; whether it succeeded.
    pub fn attempt(&mut self, title: &str, work: impl FnOnce() -> Result<Finish>) -> bool {
        match self.step(title, work) {
            Ok(()) => true,
            Err(error) => {
                eprintln!("    error: {error:#}");
                false
            }
        }
    }

    /// As `attempt` if all that the step needs succeeded, else notes that it was not run.
    pub fn after(
        &mut self,
        ready: bool,
        title: &str,
        work: impl FnOnce() -> Result<Finish>,
    ) -> bool {
        if ready {
            return self.attempt(title, work);
        }
        self.attempt(title, || Ok(Finish::NotRun));
        false
    }

    fn step(&mut self, title: &str, work: impl FnOnce() -> Result<Finish>) -> Result<()> {
        let so_far = minutes(self.begun.elapsed());
        println!("\n[{}/{}] {title}  (at {so_far})", self.rows.len() + 1, self.total);
        let begun = Instant::now();
        let finish = work();
        let time = begun.elapsed();
        let mut tally = Tally::default();
        let (outcome, result) = match finish {
            Ok(Finish::Done) => ("done".to_owned(), Ok(())),
            Ok(Finish::UpToDate) => ("up to date".to_owned(), Ok(())),
            Ok(Finish::NotRun) => ("not run: an earlier step failed".to_owned(), Ok(())),
            Ok(Finish::Skipped(why)) => (format!("skipped: {why}"), Ok(())),
            Ok(Finish::Tests(counted, result)) => {
                tally = counted;
                (format!("{} passed, {} failed", counted.passed, counted.failed), result)
            }
            Err(error) => ("FAILED".to_owned(), Err(error)),
        };
        let failed = result.is_err();
        // A step that broke without naming a failed test must not vanish from the sum.
        if failed && tally.failed == 0 {
            tally.failed = 1;
        }
        println!("    {outcome} in {}", minutes(time));
        self.rows.push(Row { title: title.to_owned(), outcome, failed, time, tally });
        result
    }

    /// The time since the first step.
    pub fn elapsed(&self) -> String {
        minutes(self.begun.elapsed())
    }

    /// Prints the table of durations and the sum of all tests as the last line; whether all is
    /// well.
    pub fn summary(&self) -> bool {
        println!("\n{:<44} {:>9}  outcome", "step", "time");
        let mut sum = Tally::default();
        for row in &self.rows {
            let mark = if row.failed { "  <- FAILED" } else { "" };
            println!("{:<44} {:>9}  {}{mark}", row.title, minutes(row.time), row.outcome);
            sum += row.tally;
        }
        println!("{:<44} {:>9}", "all", self.elapsed());
        println!("{} passed, {} failed", sum.passed, sum.failed);
        self.rows.iter().all(|row| !row.failed)
    }
}

/// `4.2 s` or `3 min 05 s`.
fn minutes(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_step_that_breaks_without_a_failed_test_counts_as_one_failure() {
        let mut steps = Steps::new(2);
        assert!(
            steps.attempt("good", || Ok(Finish::Tests(Tally { passed: 2, failed: 0 }, Ok(()))))
        );
        assert!(!steps.attempt("bad", || bail!("broken")));
        assert_eq!(steps.rows[1].tally, Tally { passed: 0, failed: 1 });
        assert!(!steps.summary());
    }

    #[test]
    fn durations_read_as_minutes_and_seconds() {
        assert_eq!(minutes(Duration::from_millis(4230)), "4.2 s");
        assert_eq!(minutes(Duration::from_secs(185)), "3 min 05 s");
    }
}

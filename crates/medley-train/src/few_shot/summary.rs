//! Mean and spread over the seeds.

use super::mode::Mode;
use super::rows::Row;

/// All seeds of one task, mode and fraction together.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The task.
    pub task: String,
    /// The mode.
    pub mode: Mode,
    /// Per cent of the training groups.
    pub fraction: f64,
    /// The pretrained task that answered, in the zero-shot modes.
    pub source: Option<String>,
    /// The metric.
    pub metric: String,
    /// Mean number of training images.
    pub n_train: f64,
    /// Mean over the seeds.
    pub mean: f64,
    /// Standard deviation over the seeds (divided by their number less one); 0 for a single one.
    pub deviation: f64,
    /// How many seeds.
    pub seeds: usize,
}

/// Rows put together: tasks in the order in which they come, fractions rising, modes in their own order.
pub fn summarise(rows: &[Row]) -> Vec<Summary> {
    let mut tasks: Vec<&str> = Vec::new();
    for row in rows {
        if !tasks.contains(&row.task.as_str()) {
            tasks.push(&row.task);
        }
    }
    let place = |task: &str| tasks.iter().position(|known| *known == task);
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by(|a, b| {
        place(&a.task)
            .cmp(&place(&b.task))
            .then(a.fraction.total_cmp(&b.fraction))
            .then(a.mode.cmp(&b.mode))
            .then(a.source.cmp(&b.source))
    });
    let together = |a: &&Row, b: &&Row| {
        (&a.task, a.mode, a.fraction, &a.source) == (&b.task, b.mode, b.fraction, &b.source)
    };
    sorted.chunk_by(together).filter_map(of_seeds).collect()
}

fn of_seeds(rows: &[&Row]) -> Option<Summary> {
    let first = rows.first()?;
    let n = rows.len() as f64;
    let mean = rows.iter().map(|row| row.value).sum::<f64>() / n;
    let squares: f64 = rows.iter().map(|row| (row.value - mean).powi(2)).sum();
    Some(Summary {
        task: first.task.clone(),
        mode: first.mode,
        fraction: first.fraction,
        source: first.source.clone(),
        metric: first.metric.clone(),
        n_train: rows.iter().map(|row| row.n_train as f64).sum::<f64>() / n,
        mean,
        deviation: if rows.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 },
        seeds: rows.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_put_together_and_lines_come_in_order() {
        let row = |task: &str, mode, fraction, seed, value| Row {
            task: task.into(),
            mode,
            fraction,
            seed,
            n_train: seed as usize,
            metric: "dice".into(),
            value,
            source: None,
            split: None,
            setup: String::new(),
        };
        let rows = [
            row("b", Mode::Scratch, 10.0, 1, 0.1),
            row("b", Mode::Frozen, 10.0, 1, 0.4),
            row("a", Mode::Frozen, 1.0, 1, 0.9),
            row("b", Mode::Frozen, 10.0, 2, 0.6),
            row("b", Mode::Frozen, 1.0, 1, 0.2),
        ];
        let all = summarise(&rows);
        let order: Vec<(&str, Mode, f64)> =
            all.iter().map(|s| (s.task.as_str(), s.mode, s.fraction)).collect();
        assert_eq!(
            order,
            [
                ("b", Mode::Frozen, 1.0),
                ("b", Mode::Frozen, 10.0),
                ("b", Mode::Scratch, 10.0),
                ("a", Mode::Frozen, 1.0)
            ]
        );
        let both = &all[1];
        assert_eq!((both.seeds, both.n_train), (2, 1.5));
        // √(2 · 0.1² / 1)
        assert!((both.mean - 0.5).abs() < 1e-12 && (both.deviation - 0.02f64.sqrt()).abs() < 1e-12);
    }
}

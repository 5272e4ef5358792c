//! The gate: every check in order, stopping at the first that fails.

mod advisories;
mod disk;
mod step;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use step::{STEPS, Step};

/// Runs every step and prints how long each took.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut durations = Vec::new();
    for step in STEPS {
        println!("\n==> {}: {}", step.name, step.alone());
        let started = Instant::now();
        let result = step.run(root);
        let taken = started.elapsed();
        durations.push((step.name, taken));
        result.map_err(|error| failure(&step, &error, &disk::free(root)))?;
        println!("==> {} done in {:.1} s, {}", step.name, taken.as_secs_f64(), disk::free(root));
    }
    println!("\n{}", table(&durations));
    Ok(())
}

fn failure(step: &Step, error: &anyhow::Error, disk: &str) -> anyhow::Error {
    let (name, alone) = (step.name, step.alone());
    anyhow!("step `{name}` failed with {disk}: {error:#}\nto run it alone: {alone}")
}

/// One line per step, and the sum.
fn table(durations: &[(&str, Duration)]) -> String {
    let total: Duration = durations.iter().map(|(_, taken)| taken).sum();
    let width = durations
        .iter()
        .map(|(name, _)| name.len())
        .chain(["total".len()])
        .max()
        .unwrap_or_default();
    let mut text = format!("{:width$}  seconds", "step");
    for (name, taken) in durations.iter().chain([&("total", total)]) {
        text.push_str(&format!("\n{name:width$}  {:7.1}", taken.as_secs_f64()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_step_and_how_to_run_it() {
        let error = anyhow!("tidy found 2");
        assert_eq!(
            failure(&STEPS[0], &error, "31 GB of disk free").to_string(),
            "step `tidy` failed with 31 GB of disk free: tidy found 2\nto run it alone: cargo xtask tidy"
        );
    }

    #[test]
    fn the_table_has_a_line_per_step_and_a_total() {
        let durations = [("tidy", Duration::from_millis(240)), ("clippy", Duration::from_secs(61))];
        assert_eq!(
            table(&durations),
            "step    seconds\ntidy        0.2\nclippy     61.0\ntotal      61.2"
        );
    }
}

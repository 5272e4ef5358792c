//! `cargo xtask repeat`: tests whose subject is time, again and again, because once says little.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::command::Invocation;

/// Saves on a real file system, as many at a time as there are: most of a test is waiting for quiet.
const TESTS: &str = "cargo test --locked -p workyard-file-monitor --test files";
const AT_ONCE: &str = "-- --test-threads 16";

/// How often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often all of them are run
    #[arg(long, default_value_t = 200)]
    times: u32,
}

impl Arguments {
    /// So many times.
    pub(crate) fn short(times: u32) -> Self {
        Self { times }
    }
}

/// Runs them; the first failure is shown and ends it.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    Invocation::new(&format!("{TESTS} --no-run")).run(root)?;
    let (invocation, began) = (Invocation::new(&format!("{TESTS} {AT_ONCE}")), Instant::now());
    for time in 1..=arguments.times {
        let captured = invocation.captured(root)?;
        if !captured.status.success() {
            bail!("run {time} of {} failed:\n{}", arguments.times, captured.text);
        }
    }
    println!(
        "{} runs without a failure, in {:.0} s",
        arguments.times,
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

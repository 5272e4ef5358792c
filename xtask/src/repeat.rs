//! `cargo xtask repeat`: tests whose subject is time, again and again, because once says little.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};

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
    /// How many runs there are at the same time
    #[arg(long, default_value_t = 4)]
    at_once: u32,
}

impl Arguments {
    /// So many times, as many at the same time as usual.
    pub(crate) fn times(times: u32) -> Self {
        Self { times, at_once: 4 }
    }
}

/// Runs them; the first failure is shown, and no further run begins.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    Invocation::new(&format!("{TESTS} --no-run")).run(root)?;
    let (began, begun, stopped) = (Instant::now(), AtomicU32::new(0), AtomicBool::new(false));
    let runs = || {
        let runs = one_after_another(root, arguments.times, &begun, &stopped);
        stopped.fetch_or(runs.is_err(), Relaxed);
        runs
    };
    let runs: Result<Vec<u32>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.at_once).map(|_| scope.spawn(runs)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it returns its errors")).collect()
    });
    let (count, taken) = (runs?.iter().sum::<u32>(), began.elapsed().as_secs_f64());
    ensure!(count > 0, "nothing was run");
    println!("{count} runs without a failure, in {taken:.0} s");
    Ok(())
}

/// Runs until all have begun or one has failed. How many.
fn one_after_another(
    root: &Path,
    times: u32,
    begun: &AtomicU32,
    stopped: &AtomicBool,
) -> Result<u32> {
    let (invocation, mut count) = (Invocation::new(&format!("{TESTS} {AT_ONCE}")), 0);
    while !stopped.load(Relaxed) {
        let time = begun.fetch_add(1, Relaxed) + 1;
        if time > times {
            break;
        }
        let captured = invocation.captured(root)?;
        let passed = captured.status.success() && captured.text.contains("test result: ok. ");
        ensure!(passed, "run {time} of {times} failed:\n{}", captured.text);
        count += 1;
    }
    Ok(count)
}

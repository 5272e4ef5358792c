//! The tasks of the project: `cargo xtask test | ci | tidy | fuzz | corpus | differential | mutants |
//! repeat | simulate | perf-check`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what these tasks are for"
)]

mod command;
mod differential;
mod fuzz;
mod gate;
mod mutants;
mod perf;
mod repeat;
mod setup;
mod simulate;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything passed.
const EXIT_PASSED: u8 = 0;
/// A check found something, or a step failed.
const EXIT_FAILED: u8 = 1;
/// Something that the checks need is missing on this machine.
const EXIT_NOT_SET_UP: u8 = 2;

/// The tasks of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need, then run every check and every test
    Test,
    /// The same as `test`
    Ci,
    /// Check what no compiler checks: headers, lengths, manifests, links
    Tidy,
    /// Feed the decoders of the protocol with made-up bytes
    Fuzz(fuzz::Arguments),
    /// Write the examples that fuzzing starts from
    Corpus,
    /// Compare our reading and writing of PHP's values with PHP's own
    Differential(differential::Arguments),
    /// Plant known bugs, one at a time, and demand that the tests find each
    Mutants(mutants::Arguments),
    /// Run the tests of file-monitor's saves again and again
    Repeat(repeat::Arguments),
    /// Run servers and clients on a simulated network, in simulated time
    Simulate(simulate::Arguments),
    /// Count the instructions of the hot paths, and compare them with those recorded
    PerfCheck(perf::Arguments),
}

fn main() -> ExitCode {
    let root = workspace_root();
    let done = match Arguments::parse().task {
        Task::Test | Task::Ci => test(&root),
        Task::Tidy => tidy::run(&root).map(|()| EXIT_PASSED),
        Task::Fuzz(arguments) => fuzz::run(&root, &arguments).map(|()| EXIT_PASSED),
        Task::Corpus => fuzz::write_corpus(&root).map(|()| EXIT_PASSED),
        Task::Differential(arguments) => differential::run(&root, &arguments).map(|()| EXIT_PASSED),
        Task::Mutants(arguments) => mutants::run(&root, &arguments).map(|()| EXIT_PASSED),
        Task::Repeat(arguments) => repeat::run(&root, &arguments).map(|()| EXIT_PASSED),
        Task::Simulate(arguments) => simulate::run(&root, &arguments).map(|()| EXIT_PASSED),
        Task::PerfCheck(arguments) => perf::run(&root, &arguments).map(|()| EXIT_PASSED),
    };
    ExitCode::from(done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        EXIT_FAILED
    }))
}

fn test(root: &Path) -> anyhow::Result<u8> {
    if let Err(error) = setup::run(root) {
        eprintln!("error: {error:#}");
        return Ok(EXIT_NOT_SET_UP);
    }
    gate::run(root).map(|()| EXIT_PASSED)
}

/// The folder above this package: as cargo tells it now, or as it was when this was compiled.
fn workspace_root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map(Path::to_path_buf).unwrap_or(package)
}

//! Simulates seeds, or one seed line by line.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use clap::{Parser, ValueEnum};
use std::process::ExitCode;
use std::time::Instant;
use workyard_sim::{Plan, Run, run_all};

/// Simulates servers and clients on a bad network, until a seed fails or all have passed.
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// What to simulate; without, everything
    #[arg(long, value_enum)]
    what: Option<What>,
    /// How many seeds
    #[arg(long, default_value_t = 200_000, value_name = "N")]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0, value_name = "S")]
    first: u64,
    /// This seed alone
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only so many of its steps
    #[arg(long, value_name = "N", requires = "seed")]
    steps: Option<u32>,
    /// Show what happens, line by line
    #[arg(long, requires = "seed")]
    trace: bool,
}

/// What can be simulated.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    Channel,
    History,
    Slow,
    Store,
    Talk,
    Work,
}

impl What {
    fn run(self, plan: &Plan) -> Run {
        match self {
            Self::Channel => workyard_sim::channel(plan),
            Self::History => workyard_sim::history(plan),
            Self::Slow => workyard_sim::slow(plan),
            Self::Store => workyard_sim::store(plan),
            Self::Talk => workyard_sim::talk(plan),
            Self::Work => workyard_sim::work(plan),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::History => "history",
            Self::Slow => "slow",
            Self::Store => "store",
            Self::Talk => "talk",
            Self::Work => "work",
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let all: Vec<What> = arguments.what.map_or(What::value_variants().to_vec(), |what| vec![what]);
    let has_passed = all.into_iter().all(|what| match arguments.seed {
        Some(seed) => one(what, seed, &arguments),
        None => many(what, &arguments),
    });
    if has_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(what: What, seed: u64, arguments: &Arguments) -> bool {
    let steps_max = arguments.steps.unwrap_or(u32::MAX);
    let run = what.run(&Plan { seed, steps_max, has_lines: arguments.trace });
    run.lines.iter().for_each(|line| println!("{line}"));
    println!(
        "{}: seed {seed}, {} events, fingerprint {:016x}",
        what.name(),
        run.events,
        run.fingerprint
    );
    if let Some(failure) = &run.failure {
        eprintln!("{}: seed {seed} fails: {failure}", what.name());
    }
    run.failure.is_none()
}

fn many(what: What, arguments: &Arguments) -> bool {
    let (began, name) = (Instant::now(), what.name());
    let (failure, events) = run_all(&|plan| what.run(plan), arguments.first, arguments.seeds);
    let seconds = began.elapsed().as_secs_f64();
    if let Some(failure) = failure {
        eprintln!("{}", failure.report(name));
        return false;
    }
    println!("{name}: {} seeds passed, {events} events, {seconds:.1} s", arguments.seeds);
    true
}

//! Compares our reading and writing of PHP's values with PHP's own, on values that are made up:
//! `differential [--values=N] [--mutants=N] [--seed=S]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for the terminal")]

use std::process::ExitCode;
use std::time::Instant;
use workyard_tests::differential::{Extent, compare};

const USAGE: &str = "usage: differential [--values=N] [--mutants=N] [--seed=S]";
const EXIT_DIFFERENT: u8 = 1;
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let Some(extent) = extent() else {
        eprintln!("{USAGE}");
        return ExitCode::from(EXIT_USAGE);
    };
    let started = Instant::now();
    match compare(extent) {
        Ok(comparison) => {
            println!("{comparison}");
            println!("seed {}, {:.1} s", extent.seed, started.elapsed().as_secs_f64());
            if comparison.different == 0 && comparison.taken > 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(EXIT_DIFFERENT)
            }
        }
        Err(error) => {
            eprintln!("error: {error} (seed {})", extent.seed);
            ExitCode::from(EXIT_DIFFERENT)
        }
    }
}

fn extent() -> Option<Extent> {
    let mut extent = Extent { values: 1_000_000, mutants: 400_000, seed: 1 };
    for argument in std::env::args().skip(1) {
        let (flag, number) = argument.split_once('=')?;
        match flag {
            "--values" => extent.values = number.parse().ok()?,
            "--mutants" => extent.mutants = number.parse().ok()?,
            "--seed" => extent.seed = number.parse().ok()?,
            _ => return None,
        }
    }
    Some(extent)
}

//! `cargo xtask simulate`: servers and clients on a bad network, seed by seed, or one of them line by line.

use std::path::Path;

use anyhow::Result;

use crate::command::Invocation;

/// What is simulated.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to simulate, `channel` for instance; without, everything
    #[arg(long, value_name = "NAME")]
    what: Option<String>,
    /// How many seeds
    #[arg(long, default_value_t = 200_000, value_name = "N")]
    seeds: u64,
    /// The first of them
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

/// Builds the program that simulates, and runs it.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    invocation(arguments).run(root)
}

fn invocation(Arguments { what, seeds, first, seed, steps, trace }: &Arguments) -> Invocation {
    let program = "cargo run --quiet --locked --release -p workyard-sim --bin simulate --";
    let arguments = [
        what.as_ref().map(|what| format!("--what={what}")),
        Some(format!("--seeds={seeds}")),
        Some(format!("--first={first}")),
        seed.map(|seed| format!("--seed={seed}")),
        steps.map(|steps| format!("--steps={steps}")),
        trace.then(|| "--trace".to_owned()),
    ];
    arguments.into_iter().flatten().fold(Invocation::new(program), Invocation::argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "cargo run --quiet --locked --release -p workyard-sim --bin simulate --";

    #[test]
    fn many_seeds_are_handed_on() {
        let arguments =
            Arguments { what: None, seeds: 5, first: 6, seed: None, steps: None, trace: false };
        assert_eq!(invocation(&arguments).to_string(), format!("{PROGRAM} --seeds=5 --first=6"));
    }

    #[test]
    fn one_seed_is_handed_on() {
        let arguments = Arguments {
            what: Some("channel".to_owned()),
            seeds: 5,
            first: 0,
            seed: Some(7),
            steps: Some(8),
            trace: true,
        };
        assert_eq!(
            invocation(&arguments).to_string(),
            format!("{PROGRAM} --what=channel --seeds=5 --first=0 --seed=7 --steps=8 --trace")
        );
    }
}

//! `cargo xtask differential`: our reading and writing of PHP's values compared with PHP's own.

use std::path::Path;

use anyhow::Result;

use crate::command::Invocation;

/// How much is compared.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Values as they may come; of these, nearly a quarter must come back byte for byte
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    values: u64,
    /// Values that something is wrong with
    #[arg(long, default_value_t = 400_000, value_name = "N")]
    mutants: u64,
    /// Where chance begins: the same seed makes the same values
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
}

/// Builds the program that compares, and runs it.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    invocation(arguments).run(root)
}

fn invocation(Arguments { values, mutants, seed }: &Arguments) -> Invocation {
    Invocation::new("cargo run --quiet --locked --release -p workyard-tests --bin differential --")
        .argument(format!("--values={values}"))
        .argument(format!("--mutants={mutants}"))
        .argument(format!("--seed={seed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_is_handed_on() {
        let arguments = Arguments { values: 5, mutants: 6, seed: 7 };
        assert_eq!(
            invocation(&arguments).to_string(),
            "cargo run --quiet --locked --release -p workyard-tests --bin differential -- \
             --values=5 --mutants=6 --seed=7"
        );
    }
}

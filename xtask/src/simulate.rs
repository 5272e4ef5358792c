//! `cargo xtask simulate`: servers and clients on a bad network, seed by seed, or one of them line by line.

use std::path::Path;

use anyhow::Result;

use crate::command::Invocation;

/// What the program that simulates is told.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// What to simulate and how often; `--help` tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    options: Vec<String>,
}

/// Builds the program that simulates, and runs it.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    invocation(&arguments.options).run(root)
}

fn invocation(options: &[String]) -> Invocation {
    let program = "cargo run --quiet --locked --release -p workyard-sim --bin simulate --";
    options.iter().fold(Invocation::new(program), Invocation::argument)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn everything_is_handed_on() {
        let line = ["simulate", "--what=channel", "--seed", "7", "--trace", "--help"];
        let options = Line::parse_from(line).arguments.options;
        let program = "cargo run --quiet --locked --release -p workyard-sim --bin simulate --";
        let handed_on = format!("{program} --what=channel --seed 7 --trace --help");
        assert_eq!(invocation(&options).to_string(), handed_on);
    }
}

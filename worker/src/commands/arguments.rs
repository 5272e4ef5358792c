//! What can be typed.

use crate::exit::Exit;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

#[derive(Debug, Parser)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 done, 1 failed, 2 not understood, 3 no service runs."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(super) enum Command {
    /// Start the service: in this terminal, or with -d without one
    Start {
        /// Detach from the terminal when all workers serve
        #[arg(short, long)]
        daemon: bool,
        /// Do not show what was started
        #[arg(short, long)]
        quiet: bool,
    },
    /// Stop the service
    Stop {
        /// Wait until all connections have ended, however long that takes
        #[arg(short, long)]
        graceful: bool,
    },
    /// Stop the service if it runs, and start it
    Restart {
        /// Detach from the terminal when all workers serve
        #[arg(short, long)]
        daemon: bool,
        /// Wait until all connections have ended, however long that takes
        #[arg(short, long)]
        graceful: bool,
        /// Do not show what was started
        #[arg(short, long)]
        quiet: bool,
    },
    /// Replace worker processes one by one, by the program as it lies there now
    Reload {
        /// Give each process the time its connections take
        #[arg(short, long)]
        graceful: bool,
    },
    /// Show how all processes are
    Status {
        /// Show it again each second
        #[arg(short = 'd', long, conflicts_with = "json")]
        repeat: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show all connections
    Connections {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look for what would keep the service from running well
    Doctor,
    /// Print a unit file for systemd
    Systemd,
}

/// What became of the arguments.
#[derive(Debug)]
pub(super) enum Parsed {
    Command(Command),
    /// They were a question, or wrong, and the answer has been printed.
    Said(Exit),
}

/// Reads the arguments, without the program's name.
pub(super) fn parse(program: &str, arguments: Vec<OsString>) -> Parsed {
    let names = std::iter::once(OsString::from(program)).chain(arguments);
    let command = Arguments::command().name(program.to_owned()).bin_name(program.to_owned());
    let parsed = command.try_get_matches_from(names);
    match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => Parsed::Command(arguments.command),
        Err(error) => {
            let _ = error.print();
            Parsed::Said(match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
                _ => Exit::Usage,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_understood() {
        let cases = [
            (vec!["start"], Command::Start { daemon: false, quiet: false }),
            (vec!["start", "-d", "-q"], Command::Start { daemon: true, quiet: true }),
            (vec!["stop", "-g"], Command::Stop { graceful: true }),
            (
                vec!["restart", "-dg"],
                Command::Restart { daemon: true, graceful: true, quiet: false },
            ),
            (vec!["reload"], Command::Reload { graceful: false }),
            (vec!["status", "-d"], Command::Status { repeat: true, json: false }),
            (vec!["connections", "--json"], Command::Connections { json: true }),
        ];
        for (typed, expected) in cases {
            let arguments = typed.iter().map(OsString::from).collect();
            let Parsed::Command(command) = parse("app", arguments) else { panic!("{typed:?}") };
            assert_eq!(command, expected, "{typed:?}");
        }
    }

    #[test]
    fn mistakes_have_another_status_than_questions() {
        let none: [&str; 0] = [];
        for (typed, expected) in [
            (&none[..], Exit::Usage),
            (&["begin"], Exit::Usage),
            (&["start", "-x"], Exit::Usage),
            (&["--help"], Exit::Done),
        ] {
            let arguments = typed.iter().map(OsString::from).collect();
            let Parsed::Said(exit) = parse("app", arguments) else { panic!("{typed:?}") };
            assert_eq!(exit, expected, "{typed:?}");
        }
    }
}

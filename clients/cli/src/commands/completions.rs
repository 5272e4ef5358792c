//! `workyard completions`: a script that teaches a shell the command.

use crate::args::{Cli, Completions};
use crate::exit::Status;
use clap::{Command, CommandFactory};

pub(crate) fn completions(args: &Completions) -> anyhow::Result<Status> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut shown(), "workyard", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(Status::Done)
}

/// The command line as help lists it: the generator knows nothing of what is hidden.
fn shown() -> Command {
    let whole = Cli::command();
    let subcommands = whole.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new("workyard")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .args(whole.get_arguments())
        .subcommands(subcommands)
}

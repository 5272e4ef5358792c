//! `workyard completions`: a script that teaches a shell the command.

use crate::args::{Cli, Completions};
use crate::exit::Status;
use clap::CommandFactory;

pub(crate) fn completions(args: &Completions) -> anyhow::Result<Status> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "workyard", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(Status::Done)
}

//! `start`: here, or in a process without a terminal.

use super::Context;
use crate::exit::Exit;
use crate::handover;
use crate::log;
use crate::messages::Start;
use crate::supervisor::{Audience, Refused, prepare};
use anyhow::Context as _;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts the service.
pub(super) fn start(context: Context, daemon: bool, quiet: bool) -> anyhow::Result<Exit> {
    let daemon = daemon || context.service.options.daemonize;
    let mode = if daemon { "DAEMON" } else { "DEBUG" };
    log::create(&context.files.log);
    context.say(&format!("start in {mode} mode"));
    match daemon {
        true => start_detached(&context, quiet),
        false => supervise(context, Audience::Terminal { quiet }),
    }
}

/// The life of a process that was started to be a supervisor without a terminal.
pub(super) fn detached(context: Context, starter: UnixStream) -> anyhow::Result<Exit> {
    rustix::process::setsid().context("cannot leave the terminal")?;
    supervise(context, Audience::Starter(Some(starter)))
}

fn supervise(context: Context, mut audience: Audience) -> anyhow::Result<Exit> {
    let Context { service, program, files } = context;
    let daemon = matches!(audience, Audience::Starter(_));
    let label = program.label();
    let refused = match prepare(service, program, files, daemon) {
        Ok(prepared) => return Ok(prepared.run(audience)),
        Err(Refused::AlreadyRunning) => Start::AlreadyRunning,
        Err(Refused::Usage(error)) => Start::Usage(format!("{error:#}")),
        Err(Refused::Failed(error)) => Start::Failed(format!("{error:#}")),
    };
    match daemon {
        true => audience.tell(&refused),
        false => return Ok(conclude(&label, &refused, false)),
    }
    Ok(Exit::Failed)
}

/// Starts a process of this program that stays, and waits for what it says.
fn start_detached(context: &Context, quiet: bool) -> anyhow::Result<Exit> {
    let path = &context.files.stdout;
    let output = OpenOptions::new().append(true).create(true).open(path);
    let output = output.with_context(|| format!("cannot open {}", path.display()))?;
    let mut command = Command::new(&context.program.path);
    command.arg0(format!("workyard: supervisor {}", context.program.name));
    command.args(&context.program.arguments);
    command.stdout(output.try_clone()?).stderr(output);
    let mut socket = handover::prepare(&mut command, "supervisor")?;
    command.spawn().with_context(|| context.program.path.display().to_string())?;
    // It holds the other end, which is to be the supervisor's alone.
    drop(command);
    let mut text = String::new();
    BufReader::new(&mut socket).read_line(&mut text)?;
    let message = match text.is_empty() {
        true => {
            Start::Failed(format!("the supervisor has ended; see {}", context.files.log.display()))
        }
        false => serde_json::from_str(&text)?,
    };
    Ok(conclude(&context.program.label(), &message, quiet))
}

/// Says how the start went.
fn conclude(label: &str, message: &Start, quiet: bool) -> Exit {
    match message {
        Start::Done(_) if quiet => Exit::Done,
        Start::Done(screen) => {
            log::print(&format!("{screen}\n"));
            Exit::Done
        }
        Start::AlreadyRunning => {
            log::print_error(&format!("{label} already running\n"));
            Exit::Failed
        }
        Start::Usage(reason) => {
            log::print_error(&format!("{label} {reason}\n"));
            Exit::Usage
        }
        Start::Failed(reason) => {
            log::print_error(&format!("{label} start fail: {reason}\n"));
            Exit::Failed
        }
    }
}

//! The command line of the user's own program: `start`, `stop`, `restart`, `reload`, `status` and so on.

mod arguments;
mod client;
mod doctor;
pub(crate) mod screen;
mod start;
mod status;
mod stop;
mod systemd;

use crate::exit::Exit;
use crate::files::{Files, Program};
use crate::handover::{self, Role};
use crate::log;
use crate::messages::{Reply, Request};
use crate::process;
use crate::service::Service;
use anyhow::bail;
use arguments::{Command, Parsed};
use client::Client;
use std::ffi::OsString;
use std::process::ExitCode;

/// A service, as its commands see it.
pub(crate) struct Context {
    pub(crate) service: Service,
    pub(crate) program: Program,
    pub(crate) files: Files,
}

/// Plays the part that this process has.
pub(crate) fn run(service: Service, arguments: Vec<OsString>) -> ExitCode {
    match handover::role() {
        Ok(Role::Worker(supervisor)) => return process::run(service, supervisor),
        Ok(Role::Orphan) => return ExitCode::SUCCESS,
        Ok(Role::Supervisor(starter)) => {
            return with_context(service, |context| start::detached(context, starter));
        }
        Ok(Role::Command) => {}
        Err(error) => {
            log::print_error(&format!("cannot tell how this process was started: {error}\n"));
            return Exit::Failed.into();
        }
    }
    with_context(service, |context| match arguments::parse(&context.program.name, arguments) {
        Parsed::Command(command) => dispatch(&command, context),
        Parsed::Said(exit) => Ok(exit),
    })
}

fn with_context(
    service: Service,
    attend: impl FnOnce(Context) -> anyhow::Result<Exit>,
) -> ExitCode {
    let program = match Program::find(service.options.name.as_deref()) {
        Ok(program) => program,
        Err(error) => {
            log::print_error(&format!("{error:#}\n"));
            return Exit::Failed.into();
        }
    };
    let files = Files::of(&program, &service.options);
    let label = program.label();
    match attend(Context { service, program, files }) {
        Ok(exit) => exit.into(),
        Err(error) => {
            log::print_error(&format!("{label} {error:#}\n"));
            Exit::Failed.into()
        }
    }
}

fn dispatch(command: &Command, context: Context) -> anyhow::Result<Exit> {
    match *command {
        Command::Start { daemon, quiet } => start::start(context, daemon, quiet),
        Command::Stop { graceful } => stop::stop(&context, graceful),
        Command::Restart { daemon, graceful, quiet } => {
            stop::before_start(&context, graceful)?;
            start::start(context, daemon, quiet)
        }
        Command::Reload { graceful } => reload(&context, graceful),
        Command::Status { repeat, json } => status::status(&context, repeat, json),
        Command::Connections { json } => status::connections(&context, json),
        Command::Doctor => Ok(doctor::doctor(&context)),
        Command::Systemd => Ok(systemd::systemd(&context)),
    }
}

fn reload(context: &Context, graceful: bool) -> anyhow::Result<Exit> {
    context.say("reload");
    let Some(client) = Client::connect(&context.files.control)? else {
        return Ok(context.not_running());
    };
    match client.ask(Request::Reload { graceful }, None)? {
        Reply::Reloaded => {
            context.say("reload success");
            Ok(Exit::Done)
        }
        Reply::Failed(reason) => {
            context.say(&format!("reload fail: {reason}"));
            Ok(Exit::Failed)
        }
        other => bail!("the supervisor answers something else: {other:?}"),
    }
}

impl Context {
    pub(crate) fn say(&self, text: &str) {
        log::say(&self.program, &self.files.log, text);
    }

    fn not_running(&self) -> Exit {
        self.say("not run");
        Exit::NotRunning
    }
}

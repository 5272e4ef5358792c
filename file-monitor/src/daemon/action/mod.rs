//! What is done when files have changed: several things, in order, until one fails.

mod address;
mod payload;
mod post;
mod program;
mod publish;
mod signal;
mod sockets;
mod tls;

pub(crate) use payload::changes_as_json;
pub(crate) use post::{check as check_post, check_trust};
pub(crate) use program::Happening;

use super::config::{self, RunAction, SignalAction};
use super::line::Line;
use super::run::{Commands, How, RunError};
use crate::change::ChangeSet;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join, join_all, select_all};
use program::Program;
use publish::Publisher;
use std::path::Path;
use std::time::Duration;
use workyard_daemon::Span;

/// What is tried again and again waits so long at most.
const LATER_MAX: Duration = Duration::from_secs(30);

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("{0}")]
    Signal(#[from] signal::SignalError),
    #[error("{0}")]
    Program(#[from] program::ProgramError),
    #[error("{0}")]
    Publish(#[from] workyard_channel::Error),
    #[error("{0}")]
    Post(#[from] post::PostError),
}

impl ActionError {
    /// What a command said before it failed.
    pub(crate) fn output(&self) -> &str {
        match self {
            Self::Run(error) => error.output(),
            _ => "",
        }
    }
}

/// An action, with what it keeps from one time to the next.
#[derive(Debug)]
enum Action {
    Signal { action: SignalAction, target: signal::Target },
    Run(RunAction),
    Restart(Box<Program>),
    Publish(Publisher),
    Post(config::PostAction),
}

/// All actions.
#[derive(Debug)]
pub(crate) struct Actions {
    actions: Vec<Action>,
    commands: Commands,
}

impl Actions {
    /// `aside` is whether programs must keep off standard output.
    pub(crate) fn new(wanted: &[config::Action], aside: bool) -> Self {
        let action = |wanted: &config::Action| match wanted.clone() {
            config::Action::Signal(action) => {
                let target = signal::Target::new(&action);
                Action::Signal { action, target }
            }
            config::Action::Run(action) => Action::Run(action),
            config::Action::Restart(action) => {
                Action::Restart(Box::new(Program::new(action, aside)))
            }
            config::Action::Publish(action) => Action::Publish(Publisher::new(action)),
            config::Action::Post(action) => Action::Post(action),
        };
        Self { actions: wanted.iter().map(action).collect(), commands: Commands::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.actions.len()
    }

    /// What the action at this place is, for people.
    pub(crate) fn describe(&self, index: usize) -> String {
        match &self.actions[index] {
            Action::Signal { action, .. } => match (&action.pid_file, action.pid) {
                (Some(file), _) => format!("{} to {}", action.signal, file.display()),
                (None, Some(pid)) => format!("{} to process {pid}", action.signal),
                (None, None) => action.signal.to_string(),
            },
            Action::Run(action) => format!("run {}", action.command),
            Action::Restart(program) => format!("restart {}", program.line()),
            Action::Publish(publisher) => format!("publish to {}", publisher.channel()),
            Action::Post(action) => format!("POST to {}", address::shown(&action.url)),
        }
    }

    /// Does one of them; returns what is worth telling of it: a line, and below it what a command said.
    pub(crate) async fn act(
        &mut self,
        index: usize,
        set: &ChangeSet,
    ) -> Result<String, ActionError> {
        match &mut self.actions[index] {
            Action::Signal { action, target } => Ok(signal::send(action, target).await?),
            Action::Run(action) => {
                if action.command.is_about_files() && set.present().next().is_none() {
                    return Ok("not run, as no file is left to name".to_owned());
                }
                let (line, each, timeout) = (&action.command, action.each, action.timeout);
                let said = run_for(&self.commands, line, set, each, timeout).await?;
                Ok(format!("done\n{said}"))
            }
            Action::Restart(program) => Ok(program.restart().await?),
            Action::Publish(publisher) => Ok(publisher.publish(set).await?),
            Action::Post(action) => Ok(post::post(action, set).await?),
        }
    }

    /// Runs a command for the files of a set that are there, and returns what it said.
    pub(crate) async fn run(
        &self,
        line: &Line,
        set: &ChangeSet,
        each: bool,
        timeout: Span,
    ) -> Result<String, RunError> {
        run_for(&self.commands, line, set, each, timeout).await
    }

    /// Asks the program of this action to end, if it has one.
    pub(crate) async fn make_way(&mut self, index: usize) {
        if let Action::Restart(program) = &mut self.actions[index] {
            program.stop().await;
        }
    }

    /// Whether the action is to start a program, which may be given up and begun again.
    pub(crate) fn starts_a_program(&self, index: usize) -> bool {
        matches!(self.actions[index], Action::Restart(_))
    }

    /// Has the programs started: one after the other, as they are tended.
    pub(crate) fn begin(&mut self) {
        for action in &mut self.actions {
            if let Action::Restart(program) = action {
                program.begin();
            }
        }
    }

    /// Whether a program is being started.
    pub(crate) fn are_coming_up(&self) -> bool {
        self.actions
            .iter()
            .any(|action| matches!(action, Action::Restart(program) if program.is_coming_up()))
    }

    /// Waits until something happens to a program that nobody asked for. May be dropped.
    pub(crate) async fn tend(&mut self) -> (usize, Happening) {
        let mut programs: Vec<BoxFuture<'_, (usize, Happening)>> = Vec::new();
        let mut one_comes_up = false;
        for (index, action) in self.actions.iter_mut().enumerate() {
            if let Action::Restart(program) = action {
                // A program may need one that stands before it.
                if program.is_coming_up() && std::mem::replace(&mut one_comes_up, true) {
                    continue;
                }
                programs.push(async move { (index, program.tend().await) }.boxed());
            }
        }
        match programs.is_empty() {
            true => std::future::pending().await,
            false => select_all(programs).await.0,
        }
    }

    /// Ends the programs and the commands that were given up, all at the same time.
    pub(crate) async fn stop(&mut self) {
        let stops = self.actions.iter_mut().map(async |action| {
            if let Action::Restart(program) = action {
                program.stop().await;
            }
        });
        join(join_all(stops), self.commands.stop()).await;
    }
}

async fn run_for(
    commands: &Commands,
    line: &Line,
    set: &ChangeSet,
    each: bool,
    timeout: Span,
) -> Result<String, RunError> {
    let files: Vec<&Path> = set.present().collect();
    commands.run(line, How { files: &files, each, timeout: timeout.duration() }).await
}

/// The wait before something is tried again: twice as long each time.
pub(crate) fn later(first: Duration, failures: u32) -> Duration {
    first.saturating_mul(2u32.saturating_pow(failures.min(10))).min(LATER_MAX)
}

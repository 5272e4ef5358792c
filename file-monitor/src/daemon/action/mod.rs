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
use super::run::{How, RunError, run};
use crate::change::ChangeSet;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, select_all};
use program::Program;
use publish::Publisher;
use std::path::Path;

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
        Self { actions: wanted.iter().map(action).collect() }
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
                let said = run_for(&action.command, set, action.each, action.timeout).await?;
                Ok(format!("done\n{said}"))
            }
            Action::Restart(program) => Ok(program.restart().await?),
            Action::Publish(publisher) => Ok(publisher.publish(set).await?),
            Action::Post(action) => Ok(post::post(action, set).await?),
        }
    }

    /// Starts the programs; what came of each.
    pub(crate) async fn start(&mut self) -> Vec<(usize, Result<String, ActionError>)> {
        let mut results = Vec::new();
        for (index, action) in self.actions.iter_mut().enumerate() {
            if let Action::Restart(program) = action {
                results.push((index, program.start().await.map_err(ActionError::from)));
            }
        }
        results
    }

    /// Starts a program again that ended by itself.
    pub(crate) async fn start_again(&mut self, index: usize) -> Result<String, ActionError> {
        match &mut self.actions[index] {
            Action::Restart(program) => Ok(program.start().await?),
            _ => Ok(String::new()),
        }
    }

    /// Waits until something happens to a program that nobody asked for. May be dropped.
    pub(crate) async fn tend(&mut self) -> (usize, Happening) {
        let mut programs: Vec<BoxFuture<'_, (usize, Happening)>> = Vec::new();
        for (index, action) in self.actions.iter_mut().enumerate() {
            if let Action::Restart(program) = action {
                programs.push(async move { (index, program.tend().await) }.boxed());
            }
        }
        match programs.is_empty() {
            true => std::future::pending().await,
            false => select_all(programs).await.0,
        }
    }

    /// Ends the programs.
    pub(crate) async fn stop(&mut self) {
        for action in &mut self.actions {
            if let Action::Restart(program) = action {
                program.stop().await;
            }
        }
    }
}

/// Runs a command for the files of a set that are there.
pub(crate) async fn run_for(
    line: &Line,
    set: &ChangeSet,
    each: bool,
    timeout: workyard_daemon::Span,
) -> Result<String, RunError> {
    let files: Vec<&Path> = set.present().collect();
    run(line, How { files: &files, each, timeout: timeout.duration() }).await
}

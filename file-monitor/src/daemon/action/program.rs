//! A program that runs all the time: started, tended, and restarted when files change.

use super::later;
use super::sockets::{is_held_by_the_past, is_taken};
use crate::daemon::config::{Port, RestartAction};
use crate::daemon::group::{Ended, Group};
use crate::daemon::line::Line;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// How long to wait for a port that the last run, or somebody else, still holds.
const PORT_FREE_WAIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The first wait before a program that ended by itself is started again; doubled each time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// A program that ran as long as this has not died at its start.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("cannot start {line}: {error}")]
    Start { line: String, error: std::io::Error },
    #[error("{line} ended at its start with {status}{hint}")]
    Died { line: String, status: ExitStatus, hint: &'static str },
    #[error(
        "port {port} is not free after {}: another program listens there",
        humantime::format_duration(PORT_FREE_WAIT)
    )]
    PortTaken { port: String },
    #[error("{line} does not listen on port {port} after {}", humantime::format_duration(*time))]
    NotUp { line: String, port: String, time: Duration },
}

/// Something that becomes of a program while nobody waits for it.
#[derive(Debug)]
pub(crate) enum Happening {
    /// It is up, so long after it was started.
    Started(String, Duration),
    /// It did not come up, and is started again later.
    NotStarted(ProgramError),
    /// It ended, and is started again after this time if that is known.
    Ended(ExitStatus, Option<Duration>),
}

/// How far a program is. What waits may be dropped at any time, and goes on from here.
#[derive(Debug)]
enum State {
    /// It is not to run.
    Off,
    /// It is to be started at this time.
    Due(Instant),
    /// It is to be started when its port is free, and waits for that since then.
    Waiting(Instant),
    /// It was started then.
    Running { group: Box<Group>, since: Instant, up: bool },
}

/// What a start came to.
enum Start {
    Up(String),
    /// It has done what it had to do.
    Over(ExitStatus),
}

#[derive(Debug)]
pub(super) struct Program {
    action: RestartAction,
    /// Whether it must keep off standard output.
    aside: bool,
    state: State,
    failures: u32,
    /// Whether the last run had to be killed, and that was not told.
    killed: bool,
}

impl Program {
    pub(super) fn new(action: RestartAction, aside: bool) -> Self {
        Self { action, aside, state: State::Off, failures: 0, killed: false }
    }

    pub(super) fn line(&self) -> &Line {
        &self.action.command
    }

    /// It is to run from now on.
    pub(super) fn begin(&mut self) {
        self.state = State::Due(Instant::now());
    }

    /// Whether it is being started.
    pub(super) fn is_coming_up(&self) -> bool {
        match &self.state {
            State::Off => false,
            State::Due(at) => *at <= Instant::now(),
            State::Waiting(_) => true,
            State::Running { up, .. } => !up,
        }
    }

    /// Stops it, if it runs, and starts it. What is given up goes on when it is tended.
    pub(super) async fn restart(&mut self) -> Result<String, ProgramError> {
        self.stop().await;
        // Files have changed: what was wrong before may be right now.
        self.failures = 0;
        self.begin();
        match self.start().await? {
            Start::Up(text) => Ok(text),
            Start::Over(status) => Ok(format!("ended with {status}; waiting for a change")),
        }
    }

    /// Asks it to end, and returns when nothing of it runs.
    pub(super) async fn stop(&mut self) {
        // Off only when it is over: a stop that is given up leaves the program where it was.
        if let State::Running { group, .. } = &mut self.state {
            let timeout = self.action.stop_timeout.duration();
            let ended = group.stop(self.action.stop_signal.signal(), timeout).await;
            self.killed = ended == Ended::Killed;
        }
        self.state = State::Off;
    }

    /// Waits until something happens that nobody asked for. May be dropped.
    pub(super) async fn tend(&mut self) -> Happening {
        match &mut self.state {
            State::Off => std::future::pending().await,
            State::Running { group, since, up: true } => {
                let (ended, since) = (group.wait().await, *since);
                self.state = State::Off;
                match ended {
                    Ok(status) => self.ended(status, since.elapsed()),
                    Err(error) => {
                        self.fail();
                        Happening::NotStarted(self.cannot_start(error))
                    }
                }
            }
            _ => match self.start().await {
                Ok(Start::Up(text)) => Happening::Started(text, self.has_run()),
                Ok(Start::Over(status)) => Happening::Ended(status, None),
                Err(error) => Happening::NotStarted(error),
            },
        }
    }

    fn ended(&mut self, status: ExitStatus, ran: Duration) -> Happening {
        if status.success() {
            return Happening::Ended(status, None);
        }
        if ran >= WELL_AFTER {
            self.failures = 0;
        }
        Happening::Ended(status, Some(self.fail()))
    }

    /// Starts it from where it is, and waits until it is up.
    async fn start(&mut self) -> Result<Start, ProgramError> {
        let started = self.come_up().await;
        match &started {
            Ok(Start::Up(_)) => {}
            Ok(Start::Over(_)) => self.state = State::Off,
            Err(_) => _ = self.fail(),
        }
        started
    }

    async fn come_up(&mut self) -> Result<Start, ProgramError> {
        if let State::Due(at) = self.state {
            tokio::time::sleep_until(at).await;
            self.state = State::Waiting(Instant::now());
        }
        if let State::Waiting(since) = self.state {
            self.wait_until_free(since).await?;
            let (group, since) = (Box::new(self.spawn()?), Instant::now());
            self.state = State::Running { group, since, up: false };
        }
        if let Some(status) = self.is_up().await? {
            return Ok(Start::Over(status));
        }
        if let State::Running { up, .. } = &mut self.state {
            *up = true;
        }
        Ok(Start::Up(self.started()))
    }

    fn spawn(&self) -> Result<Group, ProgramError> {
        let mut commands = self.action.command.commands(&[], false);
        let mut command = commands.pop().ok_or_else(|| self.cannot_start(empty()))?;
        command.stdin(Stdio::null());
        if self.aside {
            command.stdout(std::io::stderr());
        }
        Group::spawn(&mut command).map_err(|error| self.cannot_start(error))
    }

    async fn wait_until_free(&self, since: Instant) -> Result<(), ProgramError> {
        let Some(port) = &self.action.port else { return Ok(()) };
        while is_taken(port) {
            if since.elapsed() >= PORT_FREE_WAIT {
                return Err(ProgramError::PortTaken { port: port.to_string() });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Waits until it is up; its status if it ended well instead.
    async fn is_up(&mut self) -> Result<Option<ExitStatus>, ProgramError> {
        let line = self.action.command.to_string();
        let fail = |error| ProgramError::Start { line: line.clone(), error };
        let State::Running { group, since, .. } = &mut self.state else { return Ok(None) };
        let (until, look_every) = match &self.action.port {
            Some(_) => (*since + self.action.start_timeout.duration(), LOOK_EVERY),
            None => (*since + self.action.alive.duration(), self.action.alive.duration()),
        };
        loop {
            if self.action.port.as_ref().is_some_and(is_taken) {
                return Ok(None);
            }
            let look_at = until.min(Instant::now() + look_every);
            if let Ok(status) = tokio::time::timeout_at(look_at, group.wait()).await {
                let status = status.map_err(fail)?;
                return match status.success() {
                    true => Ok(Some(status)),
                    false => {
                        let hint = self.action.port.as_ref().map_or("", hint);
                        Err(ProgramError::Died { line, status, hint })
                    }
                };
            }
            if Instant::now() >= until {
                let time = self.action.start_timeout.duration();
                let Some(port) = &self.action.port else { return Ok(None) };
                return Err(ProgramError::NotUp { line, port: port.to_string(), time });
            }
        }
    }

    fn started(&mut self) -> String {
        let id = match &self.state {
            State::Running { group, .. } => group.id().as_raw_nonzero().to_string(),
            _ => String::new(),
        };
        let port = self.action.port.as_ref();
        let port = port.map(|port| format!(", listening on port {port}")).unwrap_or_default();
        let killed = match std::mem::take(&mut self.killed) {
            true => ", the old one had to be killed",
            false => "",
        };
        format!("started as process {id}{port}{killed}")
    }

    fn has_run(&self) -> Duration {
        match &self.state {
            State::Running { since, .. } => since.elapsed(),
            _ => Duration::ZERO,
        }
    }

    fn cannot_start(&self, error: std::io::Error) -> ProgramError {
        ProgramError::Start { line: self.action.command.to_string(), error }
    }

    /// It is to be started again, later each time.
    fn fail(&mut self) -> Duration {
        let after = later(AGAIN_AFTER, self.failures);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Due(Instant::now() + after);
        after
    }
}

/// What may be the reason of a program's end at its start.
fn hint(port: &Port) -> &'static str {
    match is_held_by_the_past(port) {
        true => {
            "; connections that are over hold its port for up to a minute (TIME_WAIT): it must set SO_REUSEADDR"
        }
        false => "",
    }
}

fn empty() -> std::io::Error {
    std::io::Error::other("the command is empty")
}

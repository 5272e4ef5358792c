//! A daemon's `main`: read the settings, listen, tell the supervisor, serve until a signal.

use crate::config::{self, Sources, Task};
use crate::exit::ExitStatus;
use crate::log::{self, Log};
use crate::server::{Running, Server, StartError};
use crate::service::Service;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs a daemon as a process.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the process's own voice")]
#[must_use]
pub fn main<S: Service>() -> ExitCode {
    let sources = match config::parse::<S>() {
        Ok(Task::Serve(sources)) => sources,
        Ok(Task::CheckConfig) => {
            println!("the configuration is right");
            return ExitCode::SUCCESS;
        }
        Ok(Task::PrintConfig(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{}: {error:#}", S::KIND.name());
            return ExitStatus::Usage.into();
        }
    };
    match run(&sources) {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("{}: {error:#}", S::KIND.name());
            match error.downcast_ref() {
                Some(StartError::Bind { .. }) => ExitStatus::Bind.into(),
                _ => ExitStatus::Failed.into(),
            }
        }
    }
}

fn run<S: Service>(sources: &Sources<S>) -> anyhow::Result<ExitStatus> {
    let log = log::start(&sources.settings)?;
    die_of_panics();
    raise_descriptor_limit();
    let server = Server::<S>::bind(sources.settings.clone(), sources.limits.clone())?;
    for address in server.addresses() {
        tracing::info!(%address, "listening");
    }
    let running = server.start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(attend(&running, sources, &log))? {
        Patience::Waited => Ok(running.wait()),
        Patience::Ended => Ok(ExitStatus::Cut),
    }
}

/// A task that panics would leave a daemon that looks alive and is not: the process ends instead,
/// and its supervisor starts it anew.
pub fn die_of_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
}

/// Whether the orderly stop was waited for.
enum Patience {
    Waited,
    Ended,
}

/// Listens to signals until the daemon has stopped.
async fn attend<S: Service>(
    running: &Running,
    sources: &Sources<S>,
    log: &Log,
) -> anyhow::Result<Patience> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    notify(&[NotifyState::Ready]);
    loop {
        tokio::select! {
            Some(()) = terminate.recv() => break,
            Some(()) = interrupt.recv() => break,
            Some(()) = hangup.recv() => reload(running, sources, log),
            () = running.ended() => return Ok(Patience::Waited),
        }
    }
    notify(&[NotifyState::Stopping]);
    running.stop();
    Ok(wait_or_second_signal(running, &mut interrupt).await)
}

/// A second Ctrl-C means now.
async fn wait_or_second_signal(running: &Running, interrupt: &mut Signal) -> Patience {
    let mut poll = tokio::time::interval(Duration::from_millis(5));
    while !running.is_finished() {
        tokio::select! {
            _ = poll.tick() => {}
            Some(()) = interrupt.recv() => {
                tracing::warn!("stopped at once");
                return Patience::Ended;
            }
        }
    }
    Patience::Waited
}

fn reload<S: Service>(running: &Running, sources: &Sources<S>, log: &Log) {
    notify(&[NotifyState::Reloading]);
    match sources.reload().and_then(|settings| log.apply(&settings).map(|()| settings)) {
        Ok(settings) => running.reload(settings),
        Err(error) => tracing::error!("the settings stay as they are: {error:#}"),
    }
    notify(&[NotifyState::Ready]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the supervisor was not told");
    }
}

/// As many descriptors as we may have: each connection takes one.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

//! What no type says of settings, found before anything is started.

use super::action::check_post;
use super::config::{Action, Check, Port, PublishAction, RestartAction, SignalAction};
use crate::limits::TIME_MAX;
use anyhow::{Context, bail, ensure};
use std::time::Duration;
use workyard_channel::Address;
use workyard_daemon::Span;

/// A check as it is set.
pub(super) fn check(check: &Check) -> anyhow::Result<()> {
    time("check.timeout", check.timeout, Duration::from_nanos(1))
}

/// An action as it is set.
pub(super) fn action(action: &Action) -> anyhow::Result<()> {
    match action {
        Action::Signal(action) => signal(action),
        Action::Run(action) => time("run.timeout", action.timeout, Duration::from_nanos(1)),
        Action::Restart(action) => restart(action),
        Action::Publish(action) => publish(action),
        Action::Post(action) => {
            check_post(action)?;
            time("post.timeout", action.timeout, Duration::from_nanos(1))
        }
    }
}

fn signal(action: &SignalAction) -> anyhow::Result<()> {
    if action.pid.is_some() == action.pid_file.is_some() {
        bail!("the action `signal` needs either `pid` or `pid_file`");
    }
    if action.pid.is_some_and(|pid| pid.get() <= 1) {
        bail!("the action `signal` needs a `pid` above 1");
    }
    time("signal.alive", action.alive, Duration::ZERO)
}

fn restart(action: &RestartAction) -> anyhow::Result<()> {
    if action.command.is_about_files() {
        bail!(
            "the action `restart` starts a program also when nothing has changed: it cannot have {{changed}}"
        );
    }
    let port = match &action.port {
        Some(Port::Number(number)) => *number,
        Some(Port::Address(address)) => address.port(),
        None => 1,
    };
    ensure!(port > 0, "restart.port is 0: name the one that the program listens on");
    time("restart.stop_timeout", action.stop_timeout, Duration::ZERO)?;
    time("restart.start_timeout", action.start_timeout, Duration::from_nanos(1))?;
    time("restart.alive", action.alive, Duration::ZERO)
}

fn publish(action: &PublishAction) -> anyhow::Result<()> {
    ensure!(!action.channel.is_empty(), "publish.channel is empty");
    let server = action.server.parse::<Address>();
    server.context("publish.server is wrong")?;
    Ok(())
}

fn time(name: &str, time: Span, least: Duration) -> anyhow::Result<()> {
    ensure!(time.duration() >= least, "{name} is 0: nothing is done within no time");
    ensure!(time.duration() <= TIME_MAX, "{name} is longer than a day");
    Ok(())
}

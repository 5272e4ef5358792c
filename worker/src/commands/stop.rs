//! `stop`, and the first half of `restart`.

use super::Context;
use super::client::{Client, HungUp};
use crate::exit::Exit;
use crate::messages::{Reply, Request};
use anyhow::bail;
use std::time::Duration;

/// Longer than the longest stop timeout of a worker, a supervisor does not need.
const SPARE: Duration = Duration::from_secs(3);

/// Stops the service, and waits until it has.
pub(super) fn stop(context: &Context, graceful: bool) -> anyhow::Result<Exit> {
    context.say("stop");
    let Some(client) = Client::connect(&context.files.control)? else {
        return Ok(context.not_running());
    };
    end(context, &client, graceful)
}

/// Stops the service if it runs.
pub(super) fn before_start(context: &Context, graceful: bool) -> anyhow::Result<()> {
    context.say("restart");
    let Some(client) = Client::connect(&context.files.control)? else { return Ok(()) };
    match end(context, &client, graceful)? {
        Exit::Done => Ok(()),
        _ => bail!("it is not started, because it has not stopped"),
    }
}

fn end(context: &Context, client: &Client, graceful: bool) -> anyhow::Result<Exit> {
    let how = if graceful { "gracefully " } else { "" };
    context.say(&format!("is {how}stopping ..."));
    let wait = match client.ask_soon(Request::Stop { graceful }) {
        Ok(Reply::Stopping { milliseconds_max }) => milliseconds_max.map(Duration::from_millis),
        Ok(other) => bail!("the supervisor answers something else: {other:?}"),
        // With nothing to stop it may end sooner than it has answered.
        Err(error) if error.is::<HungUp>() && client.wait_for_end(Some(SPARE))? => {
            Some(Duration::ZERO)
        }
        Err(error) => return Err(error),
    };
    if client.wait_for_end(wait.map(|wait| wait + SPARE))? {
        context.say("stop success");
        return Ok(Exit::Done);
    }
    context.say("stop fail");
    Ok(Exit::Failed)
}

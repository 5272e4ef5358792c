//! The commands that ask a server one thing, or follow what it says.

mod changes;
mod completions;
mod containers;
mod history;
mod lifetimes;
mod locks;
mod messages;
mod modifications;
mod ping;
mod presence;
mod queues;
mod requests;
mod variables;
mod watch;

pub(crate) use changes::{changes, wait};
pub(crate) use completions::completions;
pub(crate) use containers::{list, map, members};
pub(crate) use history::history;
pub(crate) use lifetimes::{persist, touch, ttl};
pub(crate) use locks::{lock, locks};
pub(crate) use messages::{publish, subscribe};
pub(crate) use modifications::{Side, append, max, min, rate_limit, swap, take};
pub(crate) use ping::ping;
pub(crate) use presence::presence;
pub(crate) use queues::queue;
pub(crate) use requests::{request, serve};
pub(crate) use variables::{add, cas, count, delete, get, increment, keys, set};
pub(crate) use watch::{WATCH, watch};

use crate::addresses;
use crate::args::Global;
use crate::exit::NoAnswer;
use crate::exit::Revoked;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use workyard_channel::{ChannelClient, Event};
use workyard_globaldata::GlobalDataClient;

/// A client of channel-server, as the flags have it.
pub(crate) async fn channel_client(global: &Global) -> anyhow::Result<ChannelClient> {
    let address = addresses::channel(global)?;
    let builder = ChannelClient::builder(address.as_str())
        .name("workyard")
        .connect_timeout(global.timeout)
        .call_timeout(global.timeout);
    in_time(global, builder.connect()).await
}

/// A client of globaldata-server, or of several, as the flags have it.
pub(crate) async fn globaldata_client(global: &Global) -> anyhow::Result<GlobalDataClient> {
    let addresses = addresses::globaldata(global)?;
    let addresses = addresses.iter().map(String::as_str);
    let builder = GlobalDataClient::sharded(addresses)
        .name("workyard")
        .connect_timeout(global.timeout)
        .call_timeout(global.timeout);
    in_time(global, builder.connect()).await
}

/// Connects. A server that has nothing to say for as long as one waits is slow, not away.
async fn in_time<T, E>(
    global: &Global,
    connecting: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let begun = Instant::now();
    connecting.await.map_err(|error| match begun.elapsed() >= global.timeout {
        true => NoAnswer(error.to_string()).into(),
        false => error.into(),
    })
}

/// An error if what happened means that a subscription or consumer is not restored and stays silent.
fn check_restored(event: Option<Event>) -> anyhow::Result<()> {
    match event {
        Some(Event::RestoreRefused { name, refusal, .. }) => {
            let name = String::from_utf8_lossy(&name).into_owned();
            Err(Revoked(format!("{name} could not be restored: {refusal}")).into())
        }
        _ => Ok(()),
    }
}

fn input_lines() -> Lines<BufReader<Stdin>> {
    BufReader::new(tokio::io::stdin()).lines()
}

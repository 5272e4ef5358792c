//! The commands that ask a server one thing, or follow what it says.

mod completions;
mod messages;
mod ping;
mod queues;
mod variables;

pub(crate) use completions::completions;
pub(crate) use messages::{publish, subscribe};
pub(crate) use ping::ping;
pub(crate) use queues::queue;
pub(crate) use variables::{add, cas, delete, get, increment, keys, set};

use crate::addresses;
use crate::args::Global;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use workyard_channel::ChannelClient;
use workyard_globaldata::GlobalDataClient;

/// A client of channel-server, as the flags have it.
pub(crate) async fn channel_client(global: &Global) -> anyhow::Result<ChannelClient> {
    let address = addresses::channel(global)?;
    Ok(ChannelClient::builder(address.as_str())
        .name("workyard")
        .connect_timeout(global.timeout)
        .call_timeout(global.timeout)
        .connect()
        .await?)
}

/// A client of globaldata-server, or of several, as the flags have it.
pub(crate) async fn globaldata_client(global: &Global) -> anyhow::Result<GlobalDataClient> {
    let addresses = addresses::globaldata(global)?;
    let addresses = addresses.iter().map(String::as_str);
    Ok(GlobalDataClient::sharded(addresses)
        .name("workyard")
        .connect_timeout(global.timeout)
        .call_timeout(global.timeout)
        .connect()
        .await?)
}

fn input_lines() -> Lines<BufReader<Stdin>> {
    BufReader::new(tokio::io::stdin()).lines()
}

//! `workyard ping`: whether the servers answer, and how fast.

use super::{channel_client, globaldata_client};
use crate::args::{Global, Ping, Service};
use crate::exit::Status;
use crate::output::Output;
use serde_json::json;
use std::time::Duration;

pub(crate) async fn ping(global: &Global, args: &Ping, output: &Output) -> anyhow::Result<Status> {
    let wants = |service| args.service.is_none_or(|wanted| wanted == service);
    if wants(Service::Channel) {
        let round_trip = channel_client(global).await?.ping().await?;
        say(*output, "channel-server", round_trip)?;
    }
    if wants(Service::Globaldata) {
        let round_trip = globaldata_client(global).await?.ping().await?;
        say(*output, "globaldata-server", round_trip)?;
    }
    Ok(Status::Done)
}

fn say(output: Output, server: &str, round_trip: Duration) -> anyhow::Result<()> {
    output.say(
        || format!("{server:<18} answers in {round_trip:.1?}"),
        || json!({ "server": server, "round_trip_us": round_trip.as_secs_f64() * 1e6 }),
    )
}

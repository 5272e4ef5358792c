//! `workyard ping`: whether the servers answer, and how fast.

use super::{channel_client, globaldata_client};
use crate::args::{Global, Ping, Service};
use crate::exit::{Status, Usage};
use crate::output::Output;
use serde_json::json;
use std::time::Duration;

pub(crate) async fn ping(global: &Global, args: &Ping, output: &Output) -> anyhow::Result<Status> {
    let services = match args.service {
        Some(service) => vec![service],
        None if global.server.is_empty() => vec![Service::Channel, Service::Globaldata],
        None => {
            let text = "--server names an address of which server? Say `workyard ping channel` or \
                        `workyard ping globaldata`";
            return Err(Usage(text.to_owned()).into());
        }
    };
    let mut status = Status::Done;
    for service in services {
        match round_trip(global, service).await {
            Ok(time) => say(*output, service, time)?,
            // The other one may answer.
            Err(error) => status = output.fail(&error),
        }
    }
    Ok(status)
}

async fn round_trip(global: &Global, service: Service) -> anyhow::Result<Duration> {
    Ok(match service {
        Service::Channel => channel_client(global).await?.ping().await?,
        Service::Globaldata => globaldata_client(global).await?.ping().await?,
    })
}

fn say(output: Output, service: Service, round_trip: Duration) -> anyhow::Result<()> {
    let server = match service {
        Service::Channel => "channel-server",
        Service::Globaldata => "globaldata-server",
    };
    output.say(
        || format!("{server:<18} answers in {round_trip:.1?}"),
        || json!({ "server": server, "round_trip_us": round_trip.as_secs_f64() * 1e6 }),
    )
}

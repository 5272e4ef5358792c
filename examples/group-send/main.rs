//! Messages to a group whose members are connected to any process, of any machine: lines `join GROUP`, `leave GROUP`
//! and `GROUP: TEXT`, over the text protocol.
//!
//! ```text
//! cargo run --release -- up                                        # the daemons
//! cargo run -p workyard-examples --example group-send -- start    # 4 processes, text://127.0.0.1:2359
//! ```

use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use workyard_channel::{ChannelClient, Error};
use workyard_worker::protocols::Text;
use workyard_worker::{Worker, WorkerProcess, spawn};

/// What every process hears, and passes on to those of its own connections that are in the group.
const CHANNEL: &str = "send_to_group";

#[derive(Serialize, Deserialize)]
struct ToGroup {
    group: String,
    text: String,
}

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "text://127.0.0.1:2359".to_owned());
    Worker::<Text>::bind(&listen)
        .name("group-send")
        .count(4)
        .reuse_port(true)
        .on_worker_start(subscribe)
        .on_message(async |connection, line| {
            if let Some(group) = line.strip_prefix("join ") {
                connection.join(group);
                return Ok(connection.send(format!("in {}", connection.groups().join(", "))));
            }
            if let Some(group) = line.strip_prefix("leave ") {
                connection.leave(group);
                return Ok(connection.send(format!("in {}", connection.groups().join(", "))));
            }
            let Some((group, text)) = line.split_once(": ") else {
                return Ok(connection.send("join GROUP, leave GROUP or GROUP: TEXT"));
            };
            let message = ToGroup { group: group.to_owned(), text: text.to_owned() };
            let channels = connection.worker().resource::<ChannelClient>();
            let processes = channels.publish(CHANNEL, &message).await?;
            Ok::<_, Error>(connection.send(format!("sent by {processes} processes")))
        })
        .run()
}

async fn subscribe(worker: WorkerProcess<Text>) -> Result<(), Error> {
    let address = std::env::var("WORKYARD_CHANNEL");
    let address = address.unwrap_or_else(|_| "127.0.0.1:2206".to_owned());
    let channels = ChannelClient::connect(address.as_str()).await?;
    let mut messages = channels.subscribe(CHANNEL).await?;
    worker.provide(channels);
    spawn(async move {
        while let Some(message) = messages.next().await {
            match message.decode::<ToGroup>() {
                Ok(ToGroup { group, text }) => {
                    worker.send_to_group(&group, format!("{group}: {text}"));
                }
                Err(error) => tracing::warn!(%error, "passing over a message"),
            }
        }
    });
    Ok(())
}

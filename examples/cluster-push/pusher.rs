//! Processes that hold WebSocket clients and push to them what is published.

use crate::message::{Direct, EVERYBODY, Welcome, channel_of};
use crate::{channel, push_listen, setting};
use workyard_channel::ChannelClient;
use workyard_worker::protocols::WebSocket;
use workyard_worker::{CallbackError, Worker, WorkerProcess, spawn};

pub(crate) fn pusher() -> Worker<WebSocket> {
    Worker::<WebSocket>::bind(&push_listen())
        .name("pusher")
        .count(setting("PUSHERS", "3").parse().unwrap_or(3))
        .reuse_port(true)
        .on_worker_start(subscribe)
        .on_websocket_connect(async |connection, _| {
            let (worker_id, connection_id) = (connection.worker().id(), connection.id());
            let welcome = Welcome { worker_id, connection_id };
            serde_json::to_string(&welcome).map(|welcome| connection.send(welcome))
        })
}

/// Subscribes to what is for all clients, and to what is for those of this process.
async fn subscribe(worker: WorkerProcess<WebSocket>) -> Result<(), CallbackError> {
    let channels = ChannelClient::connect(channel().as_str()).await?;
    let mut everybody = channels.subscribe(EVERYBODY).await?;
    let mut direct = channels.subscribe(channel_of(worker.id())).await?;
    worker.provide(channels);
    let to_all = worker.clone();
    spawn(async move {
        while let Some(message) = everybody.next().await {
            match message.decode::<String>() {
                Ok(content) => {
                    to_all.broadcast(content);
                }
                Err(error) => tracing::warn!(%error, "passing over a message"),
            }
        }
    });
    spawn(async move {
        while let Some(message) = direct.next().await {
            match message.decode() {
                Ok(direct) => push_to_one(&worker, direct),
                Err(error) => tracing::warn!(%error, "passing over a message"),
            }
        }
    });
    Ok(())
}

fn push_to_one(worker: &WorkerProcess<WebSocket>, direct: Direct) {
    if let Some(connection) = worker.connection(direct.connection_id) {
        connection.send(direct.content);
    }
}

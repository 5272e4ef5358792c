//! Processes that hold WebSocket clients and push every order to them.

use crate::{CHANNEL, channel, setting};
use workyard_channel::{ChannelClient, Error};
use workyard_worker::protocols::WebSocket;
use workyard_worker::{Worker, WorkerProcess, spawn};

pub(crate) fn screen() -> Worker<WebSocket> {
    Worker::<WebSocket>::bind(&setting("PUSH_LISTEN", "websocket://127.0.0.1:2126"))
        .name("screen")
        .count(2)
        .reuse_port(true)
        .on_worker_start(subscribe)
}

async fn subscribe(worker: WorkerProcess<WebSocket>) -> Result<(), Error> {
    let channels = ChannelClient::connect(channel().as_str()).await?;
    let mut orders = channels.subscribe(CHANNEL).await?;
    worker.provide(channels);
    spawn(async move {
        while let Some(message) = orders.next().await {
            match message.decode::<String>() {
                Ok(order) => {
                    worker.broadcast(order);
                }
                Err(error) => tracing::warn!(%error, "passing over a message"),
            }
        }
    });
    Ok(())
}

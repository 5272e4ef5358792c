//! A process that publishes what comes by HTTP, and has a page on which it arrives.

use crate::message::{Direct, EVERYBODY, channel_of};
use crate::{channel, push_listen, setting};
use serde_json::json;
use workyard_channel::ChannelClient;
use workyard_worker::Worker;
use workyard_worker::http::{Request, Response, StatusCode};
use workyard_worker::protocols::Http;

/// Shows what is pushed to it.
const PAGE: &str = include_str!("page.html");

pub(crate) fn publisher() -> Worker<Http> {
    Worker::<Http>::bind(&setting("HTTP_LISTEN", "http://127.0.0.1:2120"))
        .name("publisher")
        .on_worker_start(async |worker| {
            let channels = ChannelClient::connect(channel().as_str()).await?;
            worker.provide(channels);
            Ok::<_, workyard_channel::Error>(())
        })
        .on_message(async |connection, request| match request.path() {
            "/" => connection.send(PAGE.replace("{address}", &socket_address())),
            "/push" => {
                let channels = connection.worker().resource::<ChannelClient>();
                connection.send(answer(&channels, &request).await)
            }
            _ => connection.send(StatusCode::NOT_FOUND),
        })
}

/// Where a page finds the pushers.
fn socket_address() -> String {
    push_listen().replace("websocket://", "ws://")
}

async fn answer(channels: &ChannelClient, request: &Request) -> Response {
    let (status, body) = match Push::parse(request) {
        Ok(push) => match push.publish(channels).await {
            Ok(pushers) => (StatusCode::OK, json!({ "pushers": pushers })),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": error.to_string() })),
        },
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
    };
    let response = Response::new().header("Content-Type", "application/json");
    response.status(status).body(body.to_string())
}

/// What a query asks for.
enum Push {
    ToAll(String),
    ToOne { worker_id: u16, direct: Direct },
}

impl Push {
    fn parse(request: &Request) -> Result<Self, String> {
        let content = request.query("content").ok_or("?content=… is missing")?.into_owned();
        match (request.query("to_worker_id"), request.query("to_connection_id")) {
            (None, None) => Ok(Self::ToAll(content)),
            (Some(worker_id), Some(connection_id)) => {
                let worker_id = worker_id.parse().map_err(|_| "to_worker_id is not a number")?;
                let connection_id =
                    connection_id.parse().map_err(|_| "to_connection_id is not a number")?;
                Ok(Self::ToOne { worker_id, direct: Direct { connection_id, content } })
            }
            _ => Err("one client is named by to_worker_id and to_connection_id, both".to_owned()),
        }
    }

    /// Returns how many pushers received it.
    async fn publish(self, channels: &ChannelClient) -> Result<u64, workyard_channel::Error> {
        match self {
            Self::ToAll(content) => channels.publish(EVERYBODY, &content).await,
            Self::ToOne { worker_id, direct } => {
                channels.publish(channel_of(worker_id), &direct).await
            }
        }
    }
}

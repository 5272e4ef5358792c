//! A process that publishes what comes by HTTP.

use crate::message::{Direct, EVERYBODY, channel_of};
use clap::Args;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use workyard_channel::ChannelClient;

#[derive(Debug, Args)]
pub(crate) struct Publisher {
    /// Where HTTP is listened on
    #[arg(long, default_value = "127.0.0.1:2120")]
    listen: SocketAddr,
}

impl Publisher {
    pub(crate) async fn run(self, channel: &str) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.listen).await?;
        let channels = ChannelClient::connect(channel).await?;
        println!("publisher listening on http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            let channels = channels.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| answer(&channels, request));
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await
            });
        }
    }
}

async fn answer(
    channels: &ChannelClient,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let query = form_urlencoded::parse(query).into_owned().collect();
    let (status, body) = match Push::parse(&query) {
        Ok(push) => match push.publish(channels).await {
            Ok(pushers) => (StatusCode::OK, json!({ "pushers": pushers })),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": error.to_string() })),
        },
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

/// What a query asks for.
enum Push {
    ToAll(String),
    ToOne { worker_id: u32, direct: Direct },
}

impl Push {
    fn parse(query: &HashMap<String, String>) -> Result<Self, String> {
        let content = query.get("content").ok_or("?content=… is missing")?.clone();
        match (query.get("to_worker_id"), query.get("to_connection_id")) {
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

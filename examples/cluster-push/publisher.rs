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
    let (status, body) = match publish(channels, &query).await {
        Ok(receivers) => (StatusCode::OK, json!({ "pushers": receivers })),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error.to_string() })),
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

/// Returns how many pushers received it.
async fn publish(channels: &ChannelClient, query: &HashMap<String, String>) -> anyhow::Result<u64> {
    let content = query.get("content").ok_or_else(|| anyhow::anyhow!("?content=… is missing"))?;
    let Some(worker_id) = query.get("to_worker_id") else {
        return Ok(channels.publish(EVERYBODY, content).await?);
    };
    let connection_id = query
        .get("to_connection_id")
        .ok_or_else(|| anyhow::anyhow!("to_worker_id needs to_connection_id too"))?;
    let direct = Direct { connection_id: connection_id.parse()?, content: content.clone() };
    Ok(channels.publish(channel_of(worker_id.parse()?), &direct).await?)
}

//! Changes as the body of a POST.

use super::address::Address;
use super::changes_as_json;
use crate::change::ChangeSet;
use crate::daemon::config::PostAction;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// It is not shown: where a secret ends in what cannot be read is not known.
    #[error("the `url` of an action `post` is no address of HTTP, as in http://host:port/path")]
    Url,
    #[error("{url:?} cannot be used: only http:// is spoken here; let an action `run` call curl")]
    Scheme { url: String },
    #[error("cannot reach {url}: {error}")]
    Unreachable { url: String, error: std::io::Error },
    #[error("{url} does not answer as HTTP does: {error}")]
    Http { url: String, error: hyper::Error },
    #[error("{url} answered with {status}")]
    Status { url: String, status: StatusCode },
    #[error("{url} did not answer within {}", humantime::format_duration(*time))]
    Time { url: String, time: Duration },
}

/// Whether a POST can go there.
///
/// # Errors
/// When it is no address of HTTP, or one of another scheme.
pub(crate) fn check_url(url: &str) -> Result<(), PostError> {
    Address::parse(url).map(|_| ())
}

pub(super) async fn post(action: &PostAction, set: &ChangeSet) -> Result<String, PostError> {
    let (address, time) = (Address::parse(&action.url)?, action.timeout.duration());
    let url = address.shown.clone();
    let status = match tokio::time::timeout(time, exchange(address, set)).await {
        Ok(status) => status?,
        Err(_) => return Err(PostError::Time { url, time }),
    };
    match status.is_success() {
        true => Ok(format!("answered with {status}")),
        false => Err(PostError::Status { url, status }),
    }
}

async fn exchange(address: Address, set: &ChangeSet) -> Result<StatusCode, PostError> {
    let url = &address.shown;
    let unreachable = |error| PostError::Unreachable { url: url.clone(), error };
    let failed = |error| PostError::Http { url: url.clone(), error };
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
    let io = TokioIo::new(stream.map_err(unreachable)?);
    let (mut sender, connection) = http1::handshake(io).await.map_err(failed)?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&address.path)
        .header(header::HOST, &address.authority)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "workyard-file-monitor");
    if let Some(authorization) = address.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request
        .body(Full::new(Bytes::from(changes_as_json(set).to_string())))
        .map_err(|_| PostError::Url)?;
    let answer = sender.send_request(request);
    tokio::pin!(connection, answer);
    tokio::select! {
        answer = &mut answer => Ok(answer.map_err(failed)?.status()),
        ended = &mut connection => {
            ended.map_err(failed)?;
            Ok(answer.await.map_err(failed)?.status())
        }
    }
}

//! Changes as the body of a POST.

use super::changes_as_json;
use crate::change::ChangeSet;
use crate::daemon::config::PostAction;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("{url:?} is no address of HTTP")]
    Url { url: String },
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

/// Reads an address of HTTP.
///
/// # Errors
/// When it is none, or one of another scheme.
pub(crate) fn parse_url(url: &str) -> Result<Uri, PostError> {
    let wrong = || PostError::Url { url: url.to_owned() };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(_)) => Ok(uri),
        (Some(_), Some(_)) => Err(PostError::Scheme { url: url.to_owned() }),
        _ => Err(wrong()),
    }
}

pub(super) async fn post(action: &PostAction, set: &ChangeSet) -> Result<String, PostError> {
    let time = action.timeout.duration();
    let posted = tokio::time::timeout(time, exchange(&action.url, set)).await;
    let status = posted.map_err(|_| PostError::Time { url: action.url.clone(), time })??;
    match status.is_success() {
        true => Ok(format!("answered with {status}")),
        false => Err(PostError::Status { url: action.url.clone(), status }),
    }
}

async fn exchange(url: &str, set: &ChangeSet) -> Result<StatusCode, PostError> {
    let uri = parse_url(url)?;
    let unreachable = |error| PostError::Unreachable { url: url.to_owned(), error };
    let failed = |error| PostError::Http { url: url.to_owned(), error };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await;
    let io = TokioIo::new(stream.map_err(unreachable)?);
    let (mut sender, connection) = http1::handshake(io).await.map_err(failed)?;
    let authority = uri.authority().map(|authority| authority.as_str().to_owned());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, authority.unwrap_or_default())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "workyard-file-monitor")
        .body(Full::new(Bytes::from(changes_as_json(set).to_string())))
        .map_err(|_| PostError::Url { url: url.to_owned() })?;
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

//! Changes as the body of a POST.

use super::address::Address;
use super::changes_as_json;
use super::tls::{self, TrustError};
use crate::change::ChangeSet;
use crate::daemon::config::PostAction;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// It is not shown: where a secret ends in what cannot be read is not known.
    #[error("the `url` of an action `post` is no address of HTTP, as in http://host:port/path")]
    Url,
    #[error("{url:?} cannot be used: only http:// and https:// are spoken here")]
    Scheme { url: String },
    #[error("`ca` is of no use with {url}: only https:// looks at certificates")]
    NoTls { url: String },
    #[error("cannot reach {url}: {error}")]
    Unreachable { url: String, error: std::io::Error },
    #[error("{url} is not safe: {error}")]
    Untrusted { url: String, error: std::io::Error },
    #[error(transparent)]
    Trust(#[from] TrustError),
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
/// When it is no address of HTTP, one of another scheme, or `ca` is of no use there.
pub(crate) fn check(action: &PostAction) -> Result<(), PostError> {
    let address = Address::parse(&action.url)?;
    match &action.ca {
        Some(_) if !address.secure => Err(PostError::NoTls { url: address.shown }),
        _ => Ok(()),
    }
}

/// Whether there is somebody to trust, where that is needed.
///
/// # Errors
/// When there is not.
pub(crate) fn check_trust(action: &PostAction) -> Result<(), PostError> {
    if Address::parse(&action.url)?.secure {
        tls::trust(action.ca.as_deref())?;
    }
    Ok(())
}

pub(super) async fn post(action: &PostAction, set: &ChangeSet) -> Result<String, PostError> {
    let (address, time) = (Address::parse(&action.url)?, action.timeout.duration());
    let url = address.shown.clone();
    let status = match tokio::time::timeout(time, exchange(action, address, set)).await {
        Ok(status) => status?,
        Err(_) => return Err(PostError::Time { url, time }),
    };
    match status.is_success() {
        true => Ok(format!("answered with {status}")),
        false => Err(PostError::Status { url, status }),
    }
}

async fn exchange(
    action: &PostAction,
    address: Address,
    set: &ChangeSet,
) -> Result<StatusCode, PostError> {
    let url = address.shown.clone();
    let (host, port, secure) = (address.host.clone(), address.port, address.secure);
    let request = request(address, set)?;
    let stream = TcpStream::connect((host.as_str(), port)).await;
    let stream = stream.map_err(|error| PostError::Unreachable { url: url.clone(), error })?;
    let failed = |error| PostError::Http { url: url.clone(), error };
    if !secure {
        return send(stream, request).await.map_err(failed);
    }
    let stream = tls::secure(stream, &host, tls::trust(action.ca.as_deref())?).await;
    let stream = stream.map_err(|error| PostError::Untrusted { url: url.clone(), error })?;
    send(stream, request).await.map_err(failed)
}

fn request(address: Address, set: &ChangeSet) -> Result<Request<Full<Bytes>>, PostError> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&address.path)
        .header(header::HOST, &address.authority)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "workyard-file-monitor");
    if let Some(authorization) = address.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let body = Full::new(Bytes::from(changes_as_json(set).to_string()));
    request.body(body).map_err(|_| PostError::Url)
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<StatusCode, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = sender.send_request(request);
    tokio::pin!(connection, answer);
    tokio::select! {
        answer = &mut answer => Ok(answer?.status()),
        // The answer may have come before what ended the connection: many close without good-bye.
        ended = &mut connection => match (answer.await, ended) {
            (Ok(answer), _) => Ok(answer.status()),
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        }
    }
}

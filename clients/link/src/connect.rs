//! From an address to a welcome.

use crate::address::Address;
use crate::connector::Connector;
use crate::deadline::deadline;
use crate::error::Error;
use crate::inbox::Inbox;
use crate::options::Options;
use crate::received::Unread;
use crate::state::Server;
use crate::transport::Transport;
use bytes::Bytes;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};
use workyard_protocol::control::{Goodbye, Hello, ServiceKind, VERSION, Welcome};
use workyard_protocol::limits::{FRAME_BYTES_MAX, FRAME_SLACK_BYTES, HELLO_BYTES_MAX};
use workyard_protocol::{Reason, Refusal, ToClient, ToServer};

/// A connection whose hello is done, and what was read beyond the welcome.
#[derive(Debug)]
pub(crate) struct Established {
    pub(crate) transport: Transport,
    pub(crate) inbox: Inbox,
    pub(crate) server: Server,
}

/// Why there is none, and when the server wants to be asked again.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) reconnect_after: Option<Duration>,
}

/// The hello of this client, whole.
///
/// # Errors
/// `TooLarge` when name and credentials are more than a hello may hold.
pub(crate) fn hello(options: &Options, service: ServiceKind) -> Result<Bytes, Error> {
    let mut hello = Hello::new(service, &options.name);
    hello.credentials = options.credentials.as_deref();
    let mut bytes = Vec::new();
    ToServer::<Unread<'_>>::Hello(hello).encode(&mut bytes);
    match bytes.len() {
        length if length > HELLO_BYTES_MAX => {
            Err(Error::TooLarge { bytes: length, limit: HELLO_BYTES_MAX })
        }
        _ => Ok(bytes.into()),
    }
}

/// Tries every place that the address leads to, each for its share of the connect timeout.
pub(crate) async fn establish(
    address: Address,
    options: Options,
    service: ServiceKind,
    hello: Bytes,
    connection: u64,
) -> Result<Established, Failure> {
    let end = deadline(options.connect_timeout);
    let places = match timeout_at(end, resolve(&address, options.connector.as_ref())).await {
        Ok(Ok(places)) => places,
        Ok(Err(cause)) => return Err(unreachable(&address, &[cause])),
        Err(_) => return Err(unreachable(&address, &[in_time(options.connect_timeout)])),
    };
    let mut causes = Vec::new();
    let count = places.len();
    for (index, place) in places.into_iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(count - index).unwrap_or(u32::MAX);
        let name = place.to_string();
        let attempt = attempt(place, &address, &options, service, &hello, connection);
        match timeout_at(deadline(share), attempt).await {
            Ok(Ok(established)) => return Ok(established),
            Ok(Err(Attempt::Failed(cause))) => causes.push(format!("{name}: {cause}")),
            // It was reached, and said no: no other place will know better.
            Ok(Err(Attempt::Rejected(goodbye))) => return Err(rejected(&address, goodbye)),
            Err(_) => causes.push(format!("{name}: {}", in_time(share))),
        }
    }
    Err(unreachable(&address, &causes))
}

enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
    /// Wherever the connector leads.
    Connector(Connector, Address),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Connector(_, address) => write!(f, "{address}"),
        }
    }
}

async fn resolve(address: &Address, connector: Option<&Connector>) -> Result<Vec<Place>, String> {
    if let Some(connector) = connector {
        return Ok(vec![Place::Connector(connector.clone(), address.clone())]);
    }
    let (host, port) = match address {
        Address::Unix(path) => return Ok(vec![Place::Unix(path.clone())]),
        Address::Tcp { host, port } => (host.as_str(), *port),
    };
    let found = tokio::net::lookup_host((host, port)).await;
    let places: Vec<_> =
        found.map_err(|error| format!("{host}: {error}"))?.map(Place::Tcp).collect();
    match places.is_empty() {
        true => Err(format!("{host} has no address")),
        false => Ok(places),
    }
}

enum Attempt {
    Failed(String),
    Rejected(Goodbye),
}

impl<E: std::error::Error> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

async fn attempt(
    place: Place,
    address: &Address,
    options: &Options,
    service: ServiceKind,
    hello: &[u8],
    connection: u64,
) -> Result<Established, Attempt> {
    let mut transport = match place {
        Place::Tcp(place) => Transport::tcp(place).await?,
        Place::Unix(path) => Transport::unix(&path).await?,
        Place::Connector(connector, to) => Transport::Made(connector.connect(to).await?),
    };
    transport.write_all(hello).await?;
    let mut inbox = Inbox::new(HELLO_BYTES_MAX);
    let not_ours =
        |what: String| Attempt::Failed(format!("what answers is no {} ({what})", service.name()));
    let body = loop {
        match inbox.next() {
            Ok(Some(body)) => break body,
            Ok(None) => {}
            Err(refusal) => return Err(not_ours(refusal.to_string())),
        }
        if poll_fn(|cx| inbox.poll_fill(&mut transport, cx)).await? == 0 {
            return Err(not_ours("it closed the connection before a welcome".to_owned()));
        }
    };
    let welcome = match ToClient::<Unread<'_>, Unread<'_>>::decode(&body) {
        Ok(ToClient::Welcome(welcome)) => welcome,
        Ok(ToClient::Goodbye(goodbye)) => return Err(Attempt::Rejected(goodbye)),
        Ok(_) => return Err(not_ours("its first frame is no welcome".to_owned())),
        Err(error) => return Err(not_ours(error.to_string())),
    };
    let server = server(&welcome, address, connection).map_err(Attempt::Rejected)?;
    inbox.set_frame_bytes_max(options.frame_bytes_max.unwrap_or_else(|| {
        server.frame_bytes_max.max(FRAME_BYTES_MAX).saturating_add(FRAME_SLACK_BYTES)
    }));
    Ok(Established { transport, inbox, server })
}

fn server(welcome: &Welcome<'_>, address: &Address, connection: u64) -> Result<Server, Goodbye> {
    if welcome.version != VERSION {
        let text = format!("it speaks version {}, this client {VERSION}", welcome.version);
        let refusal = Refusal::new(Reason::VersionUnsupported, text);
        return Err(Goodbye { refusal, reconnect_after_ms: None });
    }
    Ok(Server {
        address: address.clone(),
        name: welcome.server.to_owned(),
        version: welcome.version,
        epoch: welcome.epoch,
        session: welcome.session,
        connection,
        heartbeat: Duration::from_millis(welcome.heartbeat_ms.into()),
        frame_bytes_max: welcome.frame_bytes_max as usize,
    })
}

fn unreachable(address: &Address, causes: &[String]) -> Failure {
    let error = Error::Unreachable { address: address.clone(), cause: causes.join("; ") };
    Failure { error, reconnect_after: None }
}

fn rejected(address: &Address, goodbye: Goodbye) -> Failure {
    let reconnect_after = goodbye.reconnect_after_ms.map(|ms| Duration::from_millis(ms.into()));
    let error = Error::Rejected { address: address.clone(), refusal: goodbye.refusal };
    Failure { error, reconnect_after }
}

fn in_time(time: Duration) -> String {
    let time = Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    format!("no welcome within {time:?}")
}

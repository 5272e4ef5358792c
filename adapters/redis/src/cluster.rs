//! Servers that share the keys: the driver finds the right one, and what it must not repeat is not repeated.

use crate::command::Request;
use crate::connector::Connector;
use crate::endpoint::Endpoint;
use crate::error::{from_driver, from_value};
use crate::limits::REDIRECTS_MAX;
use crate::link::closed;
use crate::options::{Settings, Topology};
use crate::slot::slot_of;
use redis::aio::ConnectionLike;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_read_routing::RandomReplicaStrategy;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{
    ClientTlsConfig, Cmd, ConnectionAddr, ErrorKind as DriverKind, IntoConnectionInfo, Pipeline,
    RedisError, ServerErrorKind, TlsCertificates, TlsMode, Value,
};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;
use workyard_adapter_kit::{Error, ErrorKind, Guard};

/// The guard bounds every request; the driver does it once more than it can be told not to.
const DRIVER_TIMEOUT: Duration = Duration::from_secs(60 * 60 * 24);

/// The driver's connection to all nodes, made with the first call.
pub(crate) struct Cluster {
    guard: Guard,
    client: ClusterClient,
    connection: AsyncMutex<Option<ClusterConnection>>,
    nodes: Mutex<Arc<[Node]>>,
}

/// Which slots a node has.
#[derive(Clone, Debug)]
struct Node {
    slots: RangeInclusive<u16>,
    endpoint: Endpoint,
}

impl Cluster {
    pub(crate) fn new(connector: &Connector, guard: Guard) -> Result<Arc<Self>, Error> {
        let client = client(connector.settings())?;
        let (connection, nodes) = (AsyncMutex::new(None), Mutex::new(Arc::from([])));
        Ok(Arc::new(Self { guard, client, connection, nodes }))
    }

    /// Sends a command to the node that has its key, or to all that it concerns.
    pub(crate) async fn send(&self, command: &Cmd, request: &Request) -> Result<Value, Error> {
        let mut connection = self.connection().await?;
        let answer = connection.req_packed_command(command).await.and_then(Value::extract_error);
        let answer = match answer {
            Err(error) if error.redirect_node().is_some() && !is_for_many(request.name) => {
                follow(&mut connection, command, error).await
            }
            answer => answer,
        };
        let answer = answer.map_err(|error| {
            let error = from_driver(error);
            // One part may have been done where another was not.
            if is_for_many(request.name) { error.outcome_open() } else { error }
        })?;
        from_value(answer)
    }

    /// Sends a pipeline, whose keys must all belong to one node.
    pub(crate) async fn send_pipeline(
        &self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        let mut connection = self.connection().await?;
        let answers = connection.req_packed_commands(pipeline, offset, count).await;
        crate::connection::nothing_done(answers.map_err(from_driver)?)
    }

    /// Where the node is that has this key.
    pub(crate) async fn node_of(&self, key: &[u8]) -> Result<Endpoint, Error> {
        let slot = slot_of(key);
        if let Some(endpoint) = self.known_node(slot) {
            return Ok(endpoint);
        }
        self.look_around().await?;
        self.known_node(slot).ok_or_else(|| {
            let message = format!("no node of the cluster has slot {slot}");
            Error::new(ErrorKind::Unreachable, message)
        })
    }

    /// Forgets which node has which keys: one of them has said that it is another.
    pub(crate) fn forget_nodes(&self) {
        self.set_nodes(Arc::from([]));
    }

    pub(crate) async fn close(&self) {
        *self.connection.lock().await = None;
    }

    fn known_node(&self, slot: u16) -> Option<Endpoint> {
        let nodes = Arc::clone(&self.nodes.lock().unwrap_or_else(PoisonError::into_inner));
        nodes.iter().find(|node| node.slots.contains(&slot)).map(|node| node.endpoint.clone())
    }

    fn set_nodes(&self, nodes: Arc<[Node]>) {
        *self.nodes.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }

    async fn look_around(&self) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        let mut question = redis::cmd("CLUSTER");
        let answer = connection.req_packed_command(question.arg("SLOTS")).await;
        let answer = from_value(answer.map_err(from_driver)?)?;
        self.set_nodes(nodes(&answer).unwrap_or_default().into());
        Ok(())
    }

    async fn connection(&self) -> Result<ClusterConnection, Error> {
        if self.guard.is_closed() {
            return Err(closed());
        }
        let mut connection = self.connection.lock().await;
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        match self.client.get_async_connection().await {
            Ok(made) => {
                *connection = Some(made.clone());
                self.guard.connected();
                Ok(made)
            }
            Err(error) => {
                let error = unreachable(from_driver(error));
                self.guard.lost(&self.guard.placed(error.clone()));
                Err(error)
            }
        }
    }
}

/// Nothing was sent while there was no connection.
fn unreachable(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Refused => error,
        ErrorKind::Disconnected | ErrorKind::Protocol | ErrorKind::TimedOut => {
            Error::new(ErrorKind::Unreachable, error.message())
        }
        _ => error.not_carried_out(),
    }
}

/// Goes where a node says that the key is. The driver would do so itself, if it could be kept from sending
/// writes again that may have been carried out.
async fn follow(
    connection: &mut ClusterConnection,
    command: &Cmd,
    mut error: RedisError,
) -> Result<Value, RedisError> {
    for _ in 0..REDIRECTS_MAX {
        let Some((host, port)) = error.redirect_node().and_then(|(node, _)| address(node)) else {
            return Err(error);
        };
        let node = SingleNodeRoutingInfo::ByAddress { host, port };
        let answer = if error.kind() == DriverKind::Server(ServerErrorKind::Ask) {
            let mut pipeline = Pipeline::new();
            pipeline.cmd("ASKING").add_command(command.clone());
            let answers = connection.route_pipeline(pipeline, 1, 1, node).await;
            answers.map(|mut answers| answers.pop().unwrap_or(Value::Nil))
        } else {
            connection.route_command(command.clone(), RoutingInfo::SingleNode(node)).await
        };
        match answer.and_then(Value::extract_error) {
            Err(next) if next.redirect_node().is_some() => error = next,
            answer => return answer,
        }
    }
    Err(error)
}

fn address(node: &str) -> Option<(String, u16)> {
    let (host, port) = node.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// Commands that the driver divides among nodes.
fn is_for_many(name: &str) -> bool {
    matches!(name, "MGET" | "MSET" | "DEL" | "UNLINK" | "EXISTS" | "TOUCH")
}

fn client(settings: &Settings) -> Result<ClusterClient, Error> {
    let Topology::Cluster(nodes) = &settings.topology else {
        return Err(Error::new(ErrorKind::InvalidOptions, "the URL is not that of a cluster"));
    };
    let address = |node: &Endpoint| match node {
        Endpoint::Tcp { host, port } if settings.encrypted => ConnectionAddr::TcpTls {
            host: host.clone(),
            port: *port,
            insecure: false,
            tls_params: None,
        },
        Endpoint::Tcp { host, port } => ConnectionAddr::Tcp(host.clone(), *port),
        Endpoint::Unix(path) => ConnectionAddr::Unix(path.clone()),
    };
    let nodes: Result<Vec<_>, _> =
        nodes.iter().map(|node| address(node).into_connection_info()).collect();
    let options = &settings.options;
    let mut builder = ClusterClientBuilder::new(nodes.map_err(from_driver)?)
        .retries(0)
        .connection_timeout(options.calls.connect_timeout)
        .response_timeout(DRIVER_TIMEOUT);
    if let Some(user) = &settings.user {
        builder = builder.username(user);
    }
    if let Some(password) = &settings.password {
        builder = builder.password(password);
    }
    if options.read_from_replicas {
        builder = builder.read_routing_strategy(RandomReplicaStrategy);
    }
    if settings.encrypted {
        builder = builder.tls(TlsMode::Secure).certs(certificates(settings)?);
    }
    builder.build().map_err(from_driver)
}

fn certificates(settings: &Settings) -> Result<TlsCertificates, Error> {
    let tls = &settings.options.tls;
    let client_tls = tls
        .identity_pem()?
        .map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
    Ok(TlsCertificates { client_tls, root_cert: tls.ca_pem()? })
}

/// What `CLUSTER SLOTS` answers: first slot, last slot, and nodes, the master first.
fn nodes(answer: &Value) -> Option<Vec<Node>> {
    let parts = answer.as_sequence()?.iter();
    let node = |part: &Value| {
        let part = part.as_sequence()?;
        let number = |place: usize| match part.get(place) {
            Some(Value::Int(number)) => u16::try_from(*number).ok(),
            _ => None,
        };
        let master = part.get(2)?.as_sequence()?;
        let (Value::BulkString(host), Value::Int(port)) = (master.first()?, master.get(1)?) else {
            return None;
        };
        let host = String::from_utf8(host.clone()).ok()?;
        let endpoint = Endpoint::Tcp { host, port: u16::try_from(*port).ok()? };
        Some(Node { slots: number(0)?..=number(1)?, endpoint })
    };
    parts.map(node).collect()
}

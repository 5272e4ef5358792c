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
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use workyard_adapter_kit::{Error, ErrorKind, Guard};

/// A connection to a node has this part of the time for an attempt: that of the seeds, and then that of all
/// nodes, is waited for, though one of them may be silent.
const CONNECT_PART: u32 = 4;

/// The driver's connection to all nodes, made with the first call.
pub(crate) struct Cluster {
    guard: Guard,
    client: ClusterClient,
    connection: AsyncMutex<Option<ClusterConnection>>,
    nodes: Mutex<Arc<[Node]>>,
    /// Whether a connection is being made in the place of one on which a node is silent.
    renewing: AtomicBool,
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
        let renewing = AtomicBool::new(false);
        Ok(Arc::new(Self { guard, client, connection, nodes, renewing }))
    }

    /// Sends a command to the node that has its key, or to all that it concerns.
    pub(crate) async fn send(
        self: &Arc<Self>,
        command: &Cmd,
        request: &Request,
    ) -> Result<Value, Error> {
        let mut connection = self.connection().await?;
        let watching = Watching::new(self);
        let answer = connection.req_packed_command(command).await.and_then(Value::extract_error);
        let answer = match answer {
            Err(error) if error.redirect_node().is_some() && !is_for_many(request.name) => {
                follow(&mut connection, command, error).await
            }
            answer => answer,
        };
        watching.answered();
        let answer = answer.map_err(|error| {
            let error = from_driver(error);
            // One part may have been done where another was not.
            if is_for_many(request.name) { error.outcome_open() } else { error }
        })?;
        from_value(answer)
    }

    /// Sends a pipeline, whose keys must all belong to one node.
    pub(crate) async fn send_pipeline(
        self: &Arc<Self>,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        let mut connection = self.connection().await?;
        let watching = Watching::new(self);
        let answers = connection.req_packed_commands(pipeline, offset, count).await;
        watching.answered();
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

    /// Makes another connection in the place of the one that there is: the driver itself neither leaves a
    /// node that is silent nor asks who has its keys now. What is under way stays where it is.
    fn renew(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.guard.is_closed() || self.renewing.swap(true, Relaxed) {
            return;
        }
        self.forget_nodes();
        let cluster = Arc::clone(self);
        runtime.spawn(async move {
            let made = cluster.client.get_async_connection().await;
            let mut connection = cluster.connection.lock().await;
            if let (Ok(made), false) = (made, cluster.guard.is_closed()) {
                *connection = Some(made);
            }
            cluster.renewing.store(false, Relaxed);
        });
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

/// How a refusal reads. Of the errors of a cluster's first connections the driver keeps nothing but the text.
const REFUSALS: [&str; 4] =
    ["invalid peer certificate", "received fatal alert", "authentication failed", "NOAUTH"];

/// A request that is under way: given up after all its time, it says that a node is silent.
struct Watching<'a> {
    cluster: &'a Arc<Cluster>,
    begun: Instant,
    answered: bool,
}

impl<'a> Watching<'a> {
    fn new(cluster: &'a Arc<Cluster>) -> Self {
        Self { cluster, begun: Instant::now(), answered: false }
    }

    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        // The guard gives up at the same moment, less what it took to get here.
        let patience = self.cluster.guard.options().request_timeout * 9 / 10;
        if !self.answered && self.begun.elapsed() >= patience {
            self.cluster.renew();
        }
    }
}

/// Nothing was sent while there was no connection.
fn unreachable(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Refused => error,
        ErrorKind::Disconnected | ErrorKind::Protocol | ErrorKind::TimedOut => {
            let refused = REFUSALS.iter().any(|text| error.message().contains(text));
            let kind = if refused { ErrorKind::Refused } else { ErrorKind::Unreachable };
            Error::new(kind, error.message())
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
        .connection_timeout(settings.connect_within() / CONNECT_PART)
        // A little more than the guard's, which is to be the one that ends.
        .response_timeout(options.calls.request_timeout.saturating_mul(11) / 10);
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

//! How a connection is made: found, opened, encrypted and logged in.

use crate::connection::{Connection, Parts};
use crate::endpoint::{Endpoint, Measured};
use crate::error::{from_driver, from_value};
use crate::options::{Settings, Topology};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Pipeline, ProtocolVersion, RedisConnectionInfo, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use workyard_adapter_kit::{Error, ErrorKind};

/// Requests that may wait for the driver's task. The guard's places are the bound that counts.
const DRIVER_BUFFER: usize = 1024;

/// Makes connections, each logged in and with its database selected.
pub(crate) struct Connector {
    settings: Settings,
    tls: Option<TlsConnector>,
}

impl Connector {
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let tls = match settings.encrypted {
            true => Some(TlsConnector::from(Arc::new(settings.options.tls.client_config()?))),
            false => None,
        };
        Ok(Self { settings, tls })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Connects to the server that there is, or that sentinels say is the master, or to one of a cluster.
    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        self.in_time(async {
            let endpoint = self.find().await?;
            let connection = self.open(&endpoint, &Login::Usual).await?;
            if matches!(self.settings.topology, Topology::Sentinel { .. }) {
                be_master(&connection).await?;
            }
            Ok(connection)
        })
        .await
    }

    /// Connects to that server.
    pub(crate) async fn connect_to(&self, endpoint: &Endpoint) -> Result<Connection, Error> {
        self.in_time(self.open(endpoint, &Login::Usual)).await
    }

    /// Connects for subscriptions: whatever the server tells by itself goes to `pushes`.
    pub(crate) async fn subscriber(
        &self,
        pushes: Arc<dyn AsyncPushSender>,
    ) -> Result<Connection, Error> {
        self.in_time(async {
            let endpoint = self.find().await?;
            self.open(&endpoint, &Login::Pushes(pushes)).await
        })
        .await
    }

    async fn in_time<T>(&self, made: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let within = self.settings.connect_within();
        timeout(within, made).await.unwrap_or_else(|_| {
            let message = format!("not connected within {within:?}");
            Err(Error::new(ErrorKind::TimedOut, message).not_carried_out())
        })
    }

    /// Where the server is that is to be connected to.
    async fn find(&self) -> Result<Endpoint, Error> {
        match &self.settings.topology {
            Topology::Server(endpoint) => Ok(endpoint.clone()),
            Topology::Sentinel { sentinels, name } => self.ask_sentinels(sentinels, name).await,
            Topology::Cluster(nodes) => self.first_that_answers(nodes).await,
        }
    }

    async fn ask_sentinels(&self, sentinels: &[Endpoint], name: &str) -> Result<Endpoint, Error> {
        let asked = sentinels.iter().map(|sentinel| self.ask_sentinel(sentinel, name));
        let last = match self.first(asked).await {
            Ok(master) => return Ok(master),
            Err(last) => last,
        };
        let why =
            last.map_or_else(|| "none answered in time".to_owned(), |error| error.to_string());
        let message = format!("no sentinel knows where {name} is: {why}");
        Err(Error::new(ErrorKind::Unreachable, message))
    }

    async fn ask_sentinel(&self, sentinel: &Endpoint, name: &str) -> Result<Endpoint, Error> {
        let connection = self.open(sentinel, &Login::Sentinel).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let answer = connection.send(&question).await?;
        let (host, port): (String, u16) = redis::from_redis_value(answer).map_err(|_| {
            Error::new(ErrorKind::Unreachable, format!("{sentinel} does not know a master {name}"))
        })?;
        Ok(Endpoint::Tcp { host, port })
    }

    async fn first_that_answers(&self, nodes: &[Endpoint]) -> Result<Endpoint, Error> {
        let asked = nodes
            .iter()
            .map(async |node| self.open(node, &Login::Usual).await.map(|_| node.clone()));
        self.first(asked).await.map_err(|last| {
            last.unwrap_or_else(|| Error::new(ErrorKind::Unreachable, "no node answered in time"))
        })
    }

    /// What comes first, or the last error. One who is silent holds up nobody: the next is asked meanwhile,
    /// and half of the time is left for what is then to be done.
    async fn first<T, A>(&self, asked: impl ExactSizeIterator<Item = A>) -> Result<T, Option<Error>>
    where
        A: Future<Output = Result<T, Error>>,
    {
        let within = self.settings.connect_within() / 2;
        let pause = within / u32::try_from(asked.len()).unwrap_or(u32::MAX).max(1) / 2;
        let mut asked = asked.fuse();
        let mut under_way: FuturesUnordered<A> = asked.next().into_iter().collect();
        let mut last = None;
        let first = async {
            loop {
                let answer = tokio::select! {
                    answer = under_way.next() => answer,
                    () = sleep(pause), if asked.len() > 0 => {
                        under_way.extend(asked.next());
                        continue;
                    }
                };
                match answer {
                    Some(Ok(answer)) => return Some(answer),
                    Some(Err(error)) => last = Some(error),
                    None if asked.len() == 0 => return None,
                    None => {}
                }
                under_way.extend(asked.next());
            }
        };
        let first = timeout(within, first).await.unwrap_or_default();
        first.ok_or(last)
    }

    async fn open(&self, endpoint: &Endpoint, login: &Login) -> Result<Connection, Error> {
        let options = &self.settings.options;
        let stream = endpoint.connect(self.tls.as_ref()).await?;
        let received = Arc::new(AtomicU64::new(0));
        let stream = Measured::new(stream, options.response_bytes_max, Arc::clone(&received));
        let config = AsyncConnectionConfig::new()
            // The guard sees to that.
            .set_response_timeout(None)
            .set_connection_timeout(None)
            .set_pipeline_buffer_size(DRIVER_BUFFER.min(options.calls.calls_max.max(1)));
        let config = match login {
            Login::Pushes(pushes) => config.set_push_sender(Arc::clone(pushes)),
            Login::Usual | Login::Sentinel => config,
        };
        let made = MultiplexedConnection::new_with_config(&self.info(login), stream, config).await;
        let (driver, work) = made.map_err(|error| unwelcome(from_driver(error)))?;
        let is_ended = Arc::new(AtomicBool::new(false));
        let (end, ended) = watch::channel(false);
        let has_ended = Arc::clone(&is_ended);
        let task = tokio::spawn(async move {
            work.await;
            has_ended.store(true, Relaxed);
            end.send_replace(true);
        });
        let endpoint = endpoint.clone();
        let task = task.abort_handle();
        let parts = Parts { driver, endpoint, received, is_ended, ended, task };
        // Whatever goes wrong from here on, it is dropped, and its task ends.
        let connection = Connection::new(parts);
        let id = self.log_in(&connection, login).await.map_err(unwelcome)?;
        Ok(connection.with_id(id))
    }

    /// What the driver itself says first: with the protocol that tells by itself, everything.
    fn info(&self, login: &Login) -> RedisConnectionInfo {
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        if !matches!(login, Login::Pushes(_)) {
            return info;
        }
        let info = info.set_protocol(ProtocolVersion::RESP3);
        let info = info.set_db(self.settings.options.database.into());
        let info = match &self.settings.user {
            Some(user) => info.set_username(user),
            None => info,
        };
        match &self.settings.password {
            Some(password) => info.set_password(password),
            None => info,
        }
    }

    /// Says who we are, and asks for the connection's number. One round trip.
    async fn log_in(&self, connection: &Connection, login: &Login) -> Result<Option<i64>, Error> {
        let Settings { user, password, options, .. } = &self.settings;
        let mut greeting = Pipeline::new();
        let knows_us = match login {
            Login::Usual => true,
            Login::Sentinel => options.sentinel_auth,
            Login::Pushes(_) => false,
        };
        if let Some(password) = password.as_ref().filter(|_| knows_us) {
            greeting.cmd("AUTH").arg(user).arg(password);
        }
        if matches!(login, Login::Usual) && options.database != 0 {
            greeting.cmd("SELECT").arg(options.database);
        }
        if let Some(name) = &options.client_name {
            greeting.cmd("CLIENT").arg("SETNAME").arg(name);
        }
        greeting.cmd("CLIENT").arg("ID");
        let answers = connection.driver().send_packed_commands(&greeting, 0, greeting.len()).await;
        let mut answers = answers.map_err(from_driver)?;
        let id = answers.pop();
        for answer in answers {
            from_value(answer)?;
        }
        match id {
            Some(Value::Int(id)) => Ok(Some(id)),
            Some(Value::ServerError(error)) if error.code() != "NOAUTH" => Ok(None),
            Some(other) => from_value(other).map(|_| None),
            None => Ok(None),
        }
    }
}

/// Who is to be greeted, and how.
enum Login {
    Usual,
    Sentinel,
    Pushes(Arc<dyn AsyncPushSender>),
}

/// A sentinel may be behind: what it says is asked.
async fn be_master(connection: &Connection) -> Result<(), Error> {
    let role = connection.send(&redis::cmd("ROLE")).await?;
    let is_master = match role.as_sequence().and_then(<[Value]>::first) {
        Some(Value::BulkString(role)) => role == b"master",
        _ => false,
    };
    if is_master {
        return Ok(());
    }
    let message = format!("{} is no master (yet), though sentinels say so", connection.endpoint());
    Err(Error::new(ErrorKind::Unreachable, message))
}

/// What a server says no with to somebody who has just come.
fn unwelcome(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Server if error.is_transient() => error,
        ErrorKind::Server => {
            let full = error.message().contains("max number of clients");
            rekind(&error, ErrorKind::Refused).transient(full)
        }
        ErrorKind::Disconnected => rekind(&error, ErrorKind::Unreachable),
        _ => error.not_carried_out(),
    }
}

fn rekind(error: &Error, kind: ErrorKind) -> Error {
    let new = Error::new(kind, error.message());
    match error.code() {
        Some(code) => new.with_code(code),
        None => new,
    }
}

//! The handle: what a program does with a server.

use crate::codec::{Command, Frame, Headers};
use crate::connect::Agreed;
use crate::error;
use crate::limits::REQUESTS_MAX;
use crate::notice::Notice;
use crate::options::Options;
use crate::request::{Bound, Request, What};
use crate::shared::Shared;
use crate::subscribe::{Subscribe, no_header_of};
use crate::subscription::Subscription;
use crate::task::Task;
use crate::transaction::Transaction;
use crate::{Error, ErrorKind, Result, State, Stats, Status};
use bytes::Bytes;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsConnector;
use workyard_adapter_kit::{Call, Guard, Repeat};

/// A connection to a STOMP server that heals itself. Cheap to clone; clones are the same connection.
///
/// It connects with the first call, and lives as long as a handle, a subscription or a message does.
#[derive(Clone)]
pub struct Stomp(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    requests: mpsc::Sender<Request>,
    notices: mpsc::UnboundedSender<Notice>,
    /// What is started with the first call.
    task: Mutex<Option<Task>>,
    names: AtomicU64,
}

impl Stomp {
    /// A connection to the server at a [URL](Options::url).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOptions`] when the URL will not do. Nothing is connected yet.
    pub fn open(url: &str) -> Result<Self> {
        Self::with(Options::new(url))
    }

    /// A connection with these options.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOptions`] when they will not do. Nothing is connected yet.
    pub fn with(options: Options) -> Result<Self> {
        let settled = options.settled().map_err(|error| error.at("stomp", &"".into()))?;
        let target = Arc::clone(&settled.target);
        let (calls, observer) = (settled.options.calls.clone(), settled.options.observer.clone());
        let guard = Guard::new("stomp", target, calls, observer)?;
        let tls = match settled.is_tls {
            false => None,
            true => {
                let config = settled.options.tls.client_config();
                Some(TlsConnector::from(Arc::new(config.map_err(|error| guard.placed(error))?)))
            }
        };
        let shared = Arc::new(Shared::new(settled, tls, guard));
        let (requests, received) = mpsc::channel(REQUESTS_MAX);
        let (notices, noticed) = mpsc::unbounded_channel();
        let task = Mutex::new(Some(Task::new(Arc::clone(&shared), received, noticed)));
        Ok(Self(Arc::new(Inner { shared, requests, notices, task, names: AtomicU64::new(1) })))
    }

    /// Sends a message and returns when the server has confirmed it. The headers are the message's own,
    /// [`Headers`], `[("persistent", "true")]` or `()`.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when the server does not want it, [`ErrorKind::TooLarge`] when it is above
    /// `body_bytes_max`; [`Error::outcome_unknown`] tells whether it may have been taken.
    pub async fn send(
        &self,
        destination: &str,
        body: impl Into<Bytes>,
        headers: impl Into<Headers>,
    ) -> Result<()> {
        let frame = self.send_frame(destination, body.into(), &headers.into())?;
        self.request("SEND", Repeat::IfUnsent, What::Confirmed(frame), None).await.map(drop)
    }

    /// Sends a message and returns when it was handed to the connection. Whether the server gets and
    /// wants it is not known.
    ///
    /// # Errors
    /// When it cannot be sent at all.
    pub async fn send_unconfirmed(
        &self,
        destination: &str,
        body: impl Into<Bytes>,
        headers: impl Into<Headers>,
    ) -> Result<()> {
        let frame = self.send_frame(destination, body.into(), &headers.into())?;
        self.request("SEND", Repeat::IfUnsent, What::Unconfirmed(frame), None).await.map(drop)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When there is no connection, or the server does not want it.
    pub async fn begin(&self) -> Result<Transaction> {
        let id = format!("transaction-{}", self.name());
        Transaction::new(id.into(), self.clone()).begin().await
    }

    /// Subscribes to a destination, also after every reconnect, and returns when the server has
    /// confirmed it.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when the server does not want it.
    pub async fn subscribe(&self, wish: impl Into<Subscribe>) -> Result<Subscription> {
        let wish = wish.into();
        wish.check().map_err(|error| self.guard().placed(error.during("SUBSCRIBE")))?;
        let id: Arc<str> = self.name().to_string().into();
        // Dropped on the way, it unsubscribes.
        let (subscription, registered) = Subscription::new(Arc::clone(&id), wish, self.clone());
        let what = What::Subscribe(id, registered);
        self.request("SUBSCRIBE", Repeat::IfUnsent, what, None).await?;
        Ok(subscription)
    }

    /// Checks that the server is there, wants this client, and answers, within `connect_timeout`.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn ready(&self) -> Result<()> {
        self.start();
        let patience = self.guard().options().connect_timeout;
        let asked = async {
            self.shared().status.ready(patience).await?;
            // The smallest thing that has a receipt and leaves nothing behind.
            self.begin().await?.abort().await
        };
        let ready = match tokio::time::timeout(patience, asked).await {
            Ok(ready) => ready,
            Err(_) => self.shared().status.ready(std::time::Duration::ZERO).await.and_then(|()| {
                let message = format!("no answer within {patience:?}");
                Err(Error::new(ErrorKind::TimedOut, message).not_carried_out())
            }),
        };
        ready.map_err(|error| self.guard().placed(error.during("ready")))
    }

    /// How the connection is, and how it changes.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.shared().status
    }

    /// What was agreed on with the server, the last time that it was connected.
    #[must_use]
    pub fn agreed(&self) -> Option<Agreed> {
        self.shared().agreed()
    }

    /// What was done so far, and is being done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.guard().stats()
    }

    /// Lets calls under way end, `request_timeout` at most, and disconnects when the server has dealt
    /// with all it was sent. Subscriptions end.
    pub async fn close(&self) {
        self.guard().close(self.guard().options().request_timeout).await;
        if self.unstarted().take().is_some() {
            self.shared().closed();
            return;
        }
        let (tell, told) = oneshot::channel();
        self.notice(Notice::Close(tell));
        // An error says that it was closed before.
        let _ = told.await;
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.0.shared.guard
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(crate) fn notice(&self, notice: Notice) {
        // An error says that the connection is over, and so is what this is about.
        let _ = self.0.notices.send(notice);
    }

    /// Has the connection do something, and returns the number of the connection that did.
    pub(crate) async fn request(
        &self,
        operation: &'static str,
        repeat: Repeat,
        what: What,
        bound_to: Option<Bound>,
    ) -> Result<u64> {
        if let Some(bound) = bound_to {
            // It says nothing of the server, so it is not counted.
            let alive = self.shared().check_alive(bound.number, bound.otherwise);
            alive.map_err(|error| self.guard().placed(error.during(operation)))?;
        }
        self.start();
        let call = Call::new(operation).repeat(repeat);
        self.guard().call(call, || self.attempt(what.clone(), bound_to)).await
    }

    async fn attempt(&self, what: What, bound_to: Option<Bound>) -> Result<u64> {
        if bound_to.is_none() {
            self.shared().connection().await?;
        }
        let (tell, told) = oneshot::channel();
        let request = Request { what, bound_to, tell };
        self.0.requests.send(request).await.map_err(|_| error::closed())?;
        told.await.unwrap_or_else(|_| {
            let message = "the runtime that the connection was made in has ended";
            Err(Error::new(ErrorKind::Disconnected, message).transient(false))
        })
    }

    fn start(&self) {
        if let Some(task) = self.unstarted().take() {
            tokio::spawn(task.run());
        }
    }

    fn unstarted(&self) -> std::sync::MutexGuard<'_, Option<Task>> {
        self.0.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> u64 {
        self.0.names.fetch_add(1, Ordering::Relaxed)
    }

    fn send_frame(&self, destination: &str, body: Bytes, headers: &Headers) -> Result<Arc<Frame>> {
        let frame = send_frame(destination, body, headers, None);
        frame.map(Arc::new).map_err(|error| self.guard().placed(error.during("SEND")))
    }
}

impl fmt::Debug for Stomp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.status().state() {
            State::Down(error) => format!("Down({error})"),
            state => format!("{state:?}"),
        };
        f.debug_struct("Stomp")
            .field("target", self.guard().target())
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// What the adapter itself says.
const OURS: [&str; 4] = ["destination", "receipt", "transaction", "content-length"];

pub(crate) fn send_frame(
    destination: &str,
    body: Bytes,
    headers: &Headers,
    transaction: Option<&str>,
) -> Result<Frame> {
    no_header_of(&OURS, headers)?;
    let mut frame = Frame::new(Command::Send).with("destination", destination);
    if let Some(id) = transaction {
        frame.headers.push("transaction", id);
    }
    frame.headers.append(headers);
    Ok(Frame { body, ..frame })
}

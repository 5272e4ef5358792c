//! One connection to a server: who it is, and whether it is still there.

use crate::endpoint::Endpoint;
use crate::error::{from_driver, from_value};
use crate::limits::SENT_AFTER;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use workyard_adapter_kit::{Error, ErrorKind};

/// A connection. It is closed when nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Connection {
    driver: MultiplexedConnection,
    endpoint: Endpoint,
    /// The server's number of it, unless that is a secret.
    id: Option<i64>,
    /// Counted up with everything that is received.
    received: Arc<AtomicU64>,
    /// When the oldest request was sent that nobody waits for any more and nothing came after, and what was
    /// received by then.
    unanswered: Mutex<Option<(Instant, u64)>>,
    /// The same twice: one to ask, one to wait for.
    is_ended: Arc<AtomicBool>,
    ended: watch::Receiver<bool>,
    /// Whether it ends because nobody wants it any more.
    given_up: AtomicBool,
    task: AbortHandle,
}

/// What a connection is made of.
pub(crate) struct Parts {
    pub(crate) driver: MultiplexedConnection,
    pub(crate) endpoint: Endpoint,
    pub(crate) received: Arc<AtomicU64>,
    pub(crate) is_ended: Arc<AtomicBool>,
    pub(crate) ended: watch::Receiver<bool>,
    pub(crate) task: AbortHandle,
}

impl Connection {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { driver, endpoint, received, is_ended, ended, task } = parts;
        let (unanswered, given_up) = Default::default();
        Self { driver, endpoint, id: None, received, unanswered, is_ended, ended, given_up, task }
    }

    pub(crate) fn with_id(mut self, id: Option<i64>) -> Self {
        self.id = id;
        self
    }

    /// The driver's own connection; clones are the same one.
    pub(crate) fn driver(&self) -> MultiplexedConnection {
        self.driver.clone()
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn id(&self) -> Option<i64> {
        self.id
    }

    /// How much was received so far: only good for comparing.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// A request sent at that moment, when so much had been received, was given up. How long the connection
    /// has been silent with something to be answered.
    pub(crate) fn silence(&self, begun: Instant, received: u64) -> Duration {
        if self.received() != received {
            return Duration::ZERO;
        }
        let mut unanswered = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match *unanswered {
            Some((since, then)) if then == received => since.min(begun),
            _ => begun,
        };
        // What was given up at once may not have been sent.
        if begun.elapsed() >= SENT_AFTER {
            *unanswered = Some((since, received));
        }
        since.elapsed()
    }

    /// Whether the server has closed it, or it broke.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended.load(Relaxed)
    }

    /// Ends when it does, for whatever reason, and holds nothing of it.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.ended.clone();
        async move {
            // An error says that its task is gone, which is an end, too.
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    /// Nobody will use it from now on.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Relaxed);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Relaxed)
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, Error> {
        self.check()?;
        let value = self.driver().send_packed_command(command).await;
        from_value(value.map_err(from_driver)?)
    }

    /// Sends a pipeline and waits for its answers, of which `count` after the first `offset` count.
    pub(crate) async fn send_pipeline(
        &self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        self.check()?;
        let values = self.driver().send_packed_commands(pipeline, offset, count).await;
        nothing_done(values.map_err(from_driver)?)
    }

    /// What is known to be gone is not written to.
    fn check(&self) -> Result<(), Error> {
        if self.is_ended() {
            let message = "the connection was lost before anything was sent";
            return Err(Error::new(ErrorKind::Disconnected, message).not_carried_out());
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// When the server is not ready for any command of a pipeline, the pipeline as a whole was not carried out.
pub(crate) fn nothing_done(mut values: Vec<Value>) -> Result<Vec<Value>, Error> {
    let passing = |value: &Value| match value {
        Value::ServerError(error) => from_driver(error.clone().into()).is_transient(),
        _ => false,
    };
    if !values.is_empty() && values.iter().all(passing) {
        from_value(values.swap_remove(0))?;
    }
    Ok(values)
}

//! The connection that all callers share: made with the first call, and made again when it was lost.

use crate::connection::Connection;
use crate::connector::Connector;
use crate::error::is_demoted;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::{Cmd, Pipeline, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;
use workyard_adapter_kit::{Error, ErrorKind, Guard};

/// Holds the connection, if there is one.
pub(crate) struct Link {
    connector: Arc<Connector>,
    guard: Guard,
    state: Mutex<State>,
}

type Attempt = Shared<BoxFuture<'static, Result<Arc<Connection>, Error>>>;

enum State {
    None,
    Connecting(Attempt),
    Connected(Arc<Connection>),
    Closed,
}

impl Link {
    pub(crate) fn new(connector: Arc<Connector>, guard: Guard) -> Arc<Self> {
        Arc::new(Self { connector, guard, state: Mutex::new(State::None) })
    }

    /// Sends a command over the connection.
    pub(crate) async fn send(self: &Arc<Self>, command: &Cmd) -> Result<Value, Error> {
        let connection = self.connection().await?;
        let watching = Watching::new(self, &connection);
        let answer = connection.send(command).await;
        watching.answered(answer.as_ref().err());
        answer
    }

    /// Sends a pipeline over the connection.
    pub(crate) async fn send_pipeline(
        self: &Arc<Self>,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        let connection = self.connection().await?;
        let watching = Watching::new(self, &connection);
        let answers = connection.send_pipeline(pipeline, offset, count).await;
        watching.answered(answers.as_ref().err());
        answers
    }

    /// The connection; makes it if there is none. All who ask meanwhile wait for the same one.
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, Error> {
        let attempt = {
            let mut state = self.state();
            match &*state {
                State::Connected(connection) if !connection.is_ended() => {
                    return Ok(Arc::clone(connection));
                }
                State::Closed => return Err(closed()),
                State::Connecting(attempt) => attempt.clone(),
                State::None | State::Connected(_) => {
                    let attempt = self.begin();
                    *state = State::Connecting(attempt.clone());
                    attempt
                }
            }
        };
        attempt.await
    }

    /// Closes the connection, for good.
    pub(crate) fn close(&self) {
        let state = std::mem::replace(&mut *self.state(), State::Closed);
        if let State::Connected(connection) = state {
            connection.give_up();
        }
    }

    /// Connects in a task of its own: a caller who goes away takes nothing from the others.
    fn begin(self: &Arc<Self>) -> Attempt {
        let link = Arc::clone(self);
        let task = tokio::spawn(async move {
            let made = link.connector.connect().await.map(Arc::new);
            link.made(made.as_ref());
            made
        });
        let attempt = async move {
            task.await.unwrap_or_else(|_| {
                let message = "the runtime was shut down before there was a connection";
                Err(Error::new(ErrorKind::Unreachable, message))
            })
        };
        attempt.boxed().shared()
    }

    fn made(self: &Arc<Self>, made: Result<&Arc<Connection>, &Error>) {
        let mut state = self.state();
        if matches!(*state, State::Closed) {
            return;
        }
        match made {
            Ok(connection) => {
                *state = State::Connected(Arc::clone(connection));
                drop(state);
                self.guard.connected();
                tokio::spawn(attend(Arc::downgrade(self), Arc::downgrade(connection)));
            }
            Err(error) => {
                *state = State::None;
                drop(state);
                self.guard.lost(&self.guard.placed(error.clone()));
            }
        }
    }

    /// Takes the connection out of use: who is using it goes on, everybody else gets another one.
    fn retire(&self, retired: &Arc<Connection>, why: &str) {
        let mut state = self.state();
        if !matches!(&*state, State::Connected(current) if Arc::ptr_eq(current, retired)) {
            return;
        }
        *state = State::None;
        drop(state);
        retired.give_up();
        self.guard.lost(&self.guard.error(ErrorKind::Disconnected, why));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the end of a connection, and says so.
async fn attend(link: Weak<Link>, connection: Weak<Connection>) {
    let ended = {
        let Some(connection) = connection.upgrade() else { return };
        connection.ended()
    };
    ended.await;
    if let (Some(link), Some(connection)) = (link.upgrade(), connection.upgrade())
        && !connection.is_given_up()
    {
        link.retire(&connection, "the connection was lost");
    }
}

/// A request that is under way: if it ends without an answer, that says something about the connection.
struct Watching<'a> {
    link: &'a Link,
    connection: &'a Arc<Connection>,
    begun: Instant,
    received: u64,
    answered: bool,
}

impl<'a> Watching<'a> {
    fn new(link: &'a Link, connection: &'a Arc<Connection>) -> Self {
        let (begun, received) = (Instant::now(), connection.received());
        Self { link, connection, begun, received, answered: false }
    }

    fn answered(mut self, error: Option<&Error>) {
        self.answered = true;
        if error.is_some_and(is_demoted) {
            self.link.retire(self.connection, "the server takes no more writes");
        }
    }

    fn is_silent(&self) -> bool {
        // The guard gives up at the same moment, give or take a tick of its clock.
        let patience = self.link.guard.options().request_timeout * 9 / 10;
        let patience = patience.max(Duration::from_millis(1));
        // Callers with less patience than that wait in vain one after the other.
        self.connection.silence(self.begun, self.received) >= patience
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        if !self.answered && self.is_silent() {
            self.link.retire(self.connection, "the server is silent");
        }
    }
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the adapter is closed")
}

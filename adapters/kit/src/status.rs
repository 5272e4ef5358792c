//! How a connection that heals itself is.

use crate::error::{Error, ErrorKind};
use std::time::Duration;
use tokio::sync::watch;

/// How a connection is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum State {
    /// The first attempt to connect is under way.
    Connecting,
    /// It is there, and what was subscribed or declared is restored.
    Ready,
    /// It is not there, for this reason; attempts go on.
    Down(Error),
    /// It was closed, and will not come back.
    Closed,
}

/// The state of a connection, for those who make it and those who wait for it.
#[derive(Debug)]
pub struct Status(watch::Sender<State>);

impl Default for Status {
    fn default() -> Self {
        Self(watch::Sender::new(State::Connecting))
    }
}

impl Status {
    /// Tells everybody. What was closed stays closed.
    pub fn set(&self, state: State) {
        self.0.send_if_modified(|current| {
            let open = !matches!(current, State::Closed);
            if open {
                *current = state;
            }
            open
        });
    }

    /// How it is now.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.borrow().clone()
    }

    /// Follows the state.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<State> {
        self.0.subscribe()
    }

    /// Waits until the connection is there.
    ///
    /// # Errors
    /// What kept it from being there, when it was not within `timeout`; at once when it was closed, or
    /// the server does not want this client.
    pub async fn ready(&self, timeout: Duration) -> Result<(), Error> {
        let mut states = self.watch();
        let settled = |state: &State| match state {
            State::Connecting => false,
            State::Down(error) => error.kind() == ErrorKind::Refused,
            State::Ready | State::Closed => true,
        };
        // An answer or the end of the time: either way the last state says it.
        let _ = tokio::time::timeout(timeout, states.wait_for(settled)).await;
        match self.state() {
            State::Ready => Ok(()),
            State::Down(error) => Err(error),
            State::Closed => Err(Error::new(ErrorKind::Closed, "the adapter is closed")),
            State::Connecting => {
                let message = format!("not connected within {timeout:?}");
                Err(Error::new(ErrorKind::TimedOut, message).not_carried_out())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn down(kind: ErrorKind) -> State {
        State::Down(Error::new(kind, "why"))
    }

    #[tokio::test(start_paused = true)]
    async fn ready_waits_for_the_connection() {
        let status = Status::default();
        status.set(down(ErrorKind::Unreachable));
        let soon = async {
            tokio::time::sleep(SECOND / 2).await;
            status.set(State::Ready);
        };
        let (ready, ()) = tokio::join!(status.ready(SECOND), soon);
        ready.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn ready_says_what_kept_it() {
        let status = Status::default();
        let error = status.ready(SECOND).await.unwrap_err();
        assert_eq!(error.to_string(), "not connected within 1s");
        status.set(down(ErrorKind::Unreachable));
        assert_eq!(status.ready(SECOND).await.unwrap_err().kind(), ErrorKind::Unreachable);
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_no_waiting_where_waiting_is_of_no_use() {
        let status = Status::default();
        let started = tokio::time::Instant::now();
        status.set(down(ErrorKind::Refused));
        assert_eq!(status.ready(SECOND).await.unwrap_err().kind(), ErrorKind::Refused);
        status.set(State::Closed);
        status.set(State::Ready);
        assert_eq!(status.ready(SECOND).await.unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

//! Work for whoever is ready: [`Push`] and [`Pull`].

use crate::kind::Kind;
use crate::message::Message;
use crate::options::Options;
use crate::socket::{To, socket};
use std::time::Duration;
use workyard_adapter_kit::{Error, State, Stats};

socket! {
    /// Gives each message to one of its peers: whichever is ready first.
    Push
}

socket! {
    /// Takes messages from all its peers in turn.
    Pull
}

impl Push {
    /// Sends a message: it waits in a queue until a peer takes it. One that was lost with its connection
    /// before it was written whole goes to another.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) when the queue is full and stays so for
    /// `request_timeout`, [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge),
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.0.send(To::Anybody, message.into()).await
    }

    /// How many messages were dropped because three connections ended in the midst of each: peers refuse
    /// them, as too large for example.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}

impl Pull {
    /// The next message. Whoever gives up waiting loses none.
    ///
    /// # Errors
    /// When it was closed, or cannot be bound.
    pub async fn recv(&self) -> Result<Message, Error> {
        self.0.receive().await.map(|received| received.message)
    }

    /// The same, for so long at most.
    ///
    /// # Errors
    /// The same, and [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut).
    pub async fn recv_within(&self, limit: Duration) -> Result<Message, Error> {
        self.0.receive_within(limit).await.map(|received| received.message)
    }
}

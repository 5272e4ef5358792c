//! Messages in both directions, at any time: [`Dealer`] and [`Router`].

use crate::kind::Kind;
use crate::message::Message;
use crate::options::Options;
use crate::socket::{To, socket};
use bytes::Bytes;
use std::time::Duration;
use workyard_adapter_kit::{Error, State, Stats};

socket! {
    /// Gives each message to one of its peers, whichever is ready first, and takes messages from all in turn.
    Dealer
}

socket! {
    /// Takes messages from all its peers in turn, with who sent them, and sends to one of them by name.
    Router
}

/// Who a peer is: the identity that it has given itself, or a name that was made when it connected, and is
/// another when it connects again.
pub type Identity = Bytes;

impl Dealer {
    /// Sends a message: it waits in a queue until a peer takes it. To somebody who answers requests, send an
    /// empty part first.
    ///
    /// # Errors
    /// As for [`Push::send`](crate::Push::send).
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.0.send(To::Anybody, message.into()).await
    }

    /// How many messages were dropped because three connections ended in the midst of each: peers refuse
    /// them, as too large for example.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }

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

impl Router {
    /// Sends a message to a peer: it waits in a queue until that one takes it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when there is no such peer now; otherwise as
    /// for [`Push::send`](crate::Push::send).
    pub async fn send(
        &self,
        peer: impl AsRef<[u8]>,
        message: impl Into<Message>,
    ) -> Result<(), Error> {
        self.0.send(To::Name(peer.as_ref()), message.into()).await
    }

    /// The next message, and who has sent it. Whoever gives up waiting loses none.
    ///
    /// # Errors
    /// When it was closed, or cannot be bound.
    pub async fn recv(&self) -> Result<(Identity, Message), Error> {
        self.0.receive().await.map(|received| (received.peer, received.message))
    }

    /// The same, for so long at most.
    ///
    /// # Errors
    /// The same, and [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut).
    pub async fn recv_within(&self, limit: Duration) -> Result<(Identity, Message), Error> {
        self.0.receive_within(limit).await.map(|received| (received.peer, received.message))
    }
}

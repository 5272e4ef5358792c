//! News for whoever wants them: [`Publisher`] and [`Subscriber`].

use crate::kind::Kind;
use crate::message::Message;
use crate::options::Options;
use crate::socket::socket;
use std::time::Duration;
use workyard_adapter_kit::{Call, Error, Repeat, State, Stats};

socket! {
    /// Sends each message to all peers that have subscribed to a prefix of its first part.
    Publisher
}

socket! {
    /// Receives what it has subscribed to, from all its peers in turn.
    Subscriber
}

impl Publisher {
    /// Sends a message to how many peers want it. Never waits: a peer for which `send_queue_max` messages wait
    /// already is left out, and counted by [`Publisher::dropped`].
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge),
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed), and when it cannot be bound.
    pub async fn send(&self, message: impl Into<Message>) -> Result<usize, Error> {
        let (core, message) = (self.0.started()?, message.into());
        let attempt = async || {
            self.0.fits(&message)?;
            let state = core.state();
            let mut sent = 0;
            for queue in state.peers.interested(&message.parts()[0]) {
                if queue.try_push(message.clone()) {
                    sent += 1;
                } else {
                    core.drop_one();
                }
            }
            Ok(sent)
        };
        core.guard.call(Call::new("PUBLISH").repeat(Repeat::Never), attempt).await
    }

    /// How many messages peers have missed because they were too slow, each counted for each peer.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}

impl Subscriber {
    /// Wants messages that begin so; nothing is the beginning of all. Publishers that come (back) later
    /// are told, too. What is subscribed to twice must be unsubscribed from twice.
    ///
    /// # Errors
    /// When there are too many subscriptions, or it is too long; and when it cannot be bound.
    pub async fn subscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), Error> {
        let core = self.0.started()?;
        let subscribed = core.state().peers.subscribe(prefix.as_ref());
        subscribed.map_err(|error| core.guard.placed(error.during("SUBSCRIBE")))
    }

    /// Wants them no longer; whether it did.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub async fn unsubscribe(&self, prefix: impl AsRef<[u8]>) -> Result<bool, Error> {
        Ok(self.0.started()?.state().peers.unsubscribe(prefix.as_ref()))
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

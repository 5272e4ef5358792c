//! Subscriptions: what they are asked for by, and the messages that they yield.

use crate::client::ChannelClient;
use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::message::Message;
use crate::session::{ChannelSession, Command, LocalId};
use crate::wanted::Wanted;
use futures_util::stream::Stream;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use workyard_link::Link;

/// A stream of messages. It survives reconnects and ends when it is unsubscribed, when the client is
/// closed, or when the server refuses to restore it (see
/// [`Event::RestoreRefused`](crate::Event::RestoreRefused)).
///
/// Messages wait in a buffer of its own. When that is full the newest are dropped, counted and told
/// with the next message; the connection and all other subscriptions go on.
///
/// Dropping it unsubscribes in the background.
#[derive(Debug)]
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    link: Link<ChannelSession>,
    id: LocalId,
    mailbox: Arc<Mailbox<Message>>,
}

/// Subscriptions of one client to the same thing share one subscription of the server's.
impl ChannelClient {
    /// Receives every message of the channel of exactly this name, from the moment that this returns.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn subscribe(&self, channel: impl AsRef<[u8]>) -> Result<Subscription, Error> {
        self.subscribe_to(Wanted::channel(channel.as_ref(), None)?).await
    }

    /// Receives every message of all channels whose names match: `*` stands for one token between
    /// dots, a last `>` for one or more.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn subscribe_pattern(
        &self,
        pattern: impl AsRef<[u8]>,
    ) -> Result<Subscription, Error> {
        self.subscribe_to(Wanted::pattern(pattern.as_ref(), None)?).await
    }

    /// Shares the messages of a channel with all members of a queue group: each message goes to one.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn subscribe_group(
        &self,
        channel: impl AsRef<[u8]>,
        group: impl AsRef<[u8]>,
    ) -> Result<Subscription, Error> {
        self.subscribe_to(Wanted::channel(channel.as_ref(), Some(group.as_ref()))?).await
    }

    /// [`ChannelClient::subscribe_group`] for all channels whose names match.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn subscribe_pattern_group(
        &self,
        pattern: impl AsRef<[u8]>,
        group: impl AsRef<[u8]>,
    ) -> Result<Subscription, Error> {
        self.subscribe_to(Wanted::pattern(pattern.as_ref(), Some(group.as_ref()))?).await
    }

    async fn subscribe_to(&self, wanted: Wanted) -> Result<Subscription, Error> {
        let settings = self.settings;
        let mailbox = Arc::new(Mailbox::new(
            settings.subscription_messages_max.max(1),
            settings.subscription_bytes_max,
        ));
        let (done, answer) = oneshot::channel();
        // If this future is dropped while it waits, the receiver of the answer goes first: either the
        // session finds it closed and does nothing, or it hears of the subscription's end later.
        let subscription =
            Subscription { link: self.link.clone(), id: next_id(), mailbox: Arc::clone(&mailbox) };
        let command = Command::Subscribe { id: subscription.id, wanted, mailbox, done };
        self.link.ask(command, answer).await?;
        Ok(subscription)
    }
}

impl Subscription {
    /// The next message; nothing when the subscription has ended. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Option<Message> {
        poll_fn(|cx| self.mailbox.poll_take(cx)).await
    }

    /// Ends the subscription. What has arrived can still be taken, then the stream ends.
    ///
    /// # Errors
    /// `TimedOut`, `Unreachable`, `Closed`. Dropping the subscription ends it all the same.
    pub async fn unsubscribe(&mut self) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        let command = Command::Unsubscribe { id: self.id, done: Some(done) };
        Ok(self.link.ask(command, answer).await?)
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.mailbox.poll_take(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.mailbox.close();
        self.mailbox.drain();
        self.link.release(Command::Unsubscribe { id: self.id, done: None });
    }
}

/// A number that nothing else in this process has.
pub(crate) fn next_id() -> LocalId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

//! Subscriptions: what they are asked for by, and the messages that they yield.

use crate::client::ChannelClient;
use crate::error::Error;
use crate::message::Message;
use crate::session::{ChannelSession, Command, LocalId, ToFollow, ToSubscribe};
use crate::subscribing::Subscribing;
use crate::wanted::Wanted;
use futures_util::stream::Stream;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use workyard_link::{Link, Mailbox};
use workyard_protocol::channel::WhenSlow;

/// A stream of messages. It survives reconnects and ends when it is unsubscribed, when the client is
/// closed, or when the server refuses to restore it (see
/// [`Event::RestoreRefused`](crate::Event::RestoreRefused)).
///
/// Messages wait in a buffer of its own. When that is full the newest are dropped, counted and told
/// with the next message, if [`Subscribing::when_slow`] does not say otherwise; the connection and all other
/// subscriptions go on. With history the newest are not dropped but asked for again when there is room.
///
/// Dropping it unsubscribes in the background.
#[derive(Debug)]
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    link: Link<ChannelSession>,
    id: LocalId,
    mailbox: Arc<Mailbox<Message>>,
    /// Set before it ends because it was too slow.
    too_slow: Arc<AtomicBool>,
}

/// Subscriptions of one client to the same thing share one subscription of the server's.
impl ChannelClient {
    /// Receives every message of the channel of exactly this name, from the moment that this returns.
    ///
    /// ```no_run
    /// # use workyard_channel::WhenSlow;
    /// # async fn example(client: workyard_channel::ChannelClient) -> Result<(), workyard_channel::Error> {
    /// let mut news = client.subscribe("news").await?;
    /// // Nothing is lost or doubled by lost connections, as far as the server keeps the channel.
    /// let mut orders = client.subscribe("orders").with_history().await?;
    /// // The same, beginning with the last ten.
    /// let mut log = client.subscribe("log").last(10).await?;
    /// // Whoever reads slowly has the latest of each channel next.
    /// let mut prices = client.subscribe_pattern("price.*").when_slow(WhenSlow::Latest).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub fn subscribe(&self, channel: impl AsRef<[u8]>) -> Subscribing {
        Subscribing::new(self, Wanted::channel(channel.as_ref(), None))
    }

    /// Receives every message of all channels whose names match: `*` stands for one token between
    /// dots, a last `>` for one or more.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub fn subscribe_pattern(&self, pattern: impl AsRef<[u8]>) -> Subscribing {
        Subscribing::new(self, Wanted::pattern(pattern.as_ref(), None))
    }

    /// Shares the messages of a channel with all members of a queue group: each message goes to one. There
    /// is no history for a group.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub fn subscribe_group(
        &self,
        channel: impl AsRef<[u8]>,
        group: impl AsRef<[u8]>,
    ) -> Subscribing {
        Subscribing::new(self, Wanted::channel(channel.as_ref(), Some(group.as_ref())))
    }

    /// [`ChannelClient::subscribe_group`] for all channels whose names match.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub fn subscribe_pattern_group(
        &self,
        pattern: impl AsRef<[u8]>,
        group: impl AsRef<[u8]>,
    ) -> Subscribing {
        Subscribing::new(self, Wanted::pattern(pattern.as_ref(), Some(group.as_ref())))
    }

    pub(crate) async fn subscribe_to(
        &self,
        wanted: Wanted,
        history: Option<u64>,
        when_slow: WhenSlow,
    ) -> Result<Subscription, Error> {
        let (mailbox, too_slow) = (self.mailbox(), Arc::<AtomicBool>::default());
        let (done, answer) = oneshot::channel();
        // If this future is dropped while it waits, the receiver of the answer goes first: either the
        // session finds it closed and does nothing, or it hears of the subscription's end later.
        let (link, id) = (self.link.clone(), next_id());
        let subscription = Subscription {
            link,
            id,
            mailbox: Arc::clone(&mailbox),
            too_slow: Arc::clone(&too_slow),
        };
        let command = match history {
            Some(last) => {
                let to_follow = ToFollow { id, wanted, last, mailbox };
                Command::Follow { to_follow, done }
            }
            None => {
                let to_subscribe = ToSubscribe { id, wanted, mailbox, when_slow, too_slow };
                Command::Subscribe { to_subscribe, done }
            }
        };
        self.link.ask(command, answer).await?;
        Ok(subscription)
    }
}

impl Subscription {
    /// The next message; nothing when the subscription has ended. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_take(cx)).await
    }

    /// Whether the stream ends, or has ended, because a message found no room and
    /// [`WhenSlow::Disconnect`] was asked for.
    #[must_use]
    pub fn was_too_slow(&self) -> bool {
        self.too_slow.load(Ordering::Relaxed)
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

impl Subscription {
    fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let (taken, has_room_again) = self.mailbox.poll_take_for_room(cx);
        if has_room_again {
            self.link.release(Command::Resume { id: self.id });
        }
        taken
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_take(cx)
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

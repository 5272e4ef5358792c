//! How a subscription begins: live, or with what the server has kept.

use crate::client::ChannelClient;
use crate::error::Error;
use crate::subscription::Subscription;
use crate::wanted::Wanted;
use std::pin::Pin;
use std::task::{Context, Poll};
use workyard_protocol::channel::WhenSlow;

/// A subscription to be: awaited, it subscribes.
#[must_use = "nothing is subscribed to before it is awaited"]
pub struct Subscribing {
    client: ChannelClient,
    wanted: Option<Result<Wanted, Error>>,
    history: Option<u64>,
    when_slow: WhenSlow,
    asking: Option<Asking>,
}

type Asking = Pin<Box<dyn Future<Output = Result<Subscription, Error>> + Send>>;

impl Subscribing {
    pub(crate) fn new(client: &ChannelClient, wanted: Result<Wanted, Error>) -> Self {
        let (client, wanted, when_slow) = (client.clone(), Some(wanted), WhenSlow::DropNewest);
        Self { client, wanted, history: None, when_slow, asking: None }
    }

    /// Goes on, after a lost connection and after a message that there was no room for, behind the last
    /// message that it had: nothing is lost and nothing comes twice, as far as the server keeps the
    /// messages. What it does not keep any more is told by
    /// [`Message::missed_before`](crate::Message::missed_before), exactly.
    ///
    /// Of channels that are not kept the same is true but for the messages: what a lost connection or a
    /// full buffer has cost is counted for a channel, and told by
    /// [`Message::interrupted_before`](crate::Message::interrupted_before) for those of a pattern.
    pub fn with_history(self) -> Self {
        self.last(0)
    }

    /// [`Subscribing::with_history`], beginning with the last messages of each channel that are kept.
    pub fn last(mut self, count: u64) -> Self {
        self.history = Some(count);
        self
    }

    /// What becomes of messages for which there is no room, in this subscription's buffer and, when the whole
    /// client does not read fast enough, at the server. Whatever is lost is told by
    /// [`Message::missed_before`](crate::Message::missed_before).
    ///
    /// * [`WhenSlow::DropNewest`]: they are lost. So it is unless something else is said.
    /// * [`WhenSlow::DropOldest`]: the oldest that wait are lost instead.
    /// * [`WhenSlow::Latest`]: from then on, until all that waits is taken, only the latest of each channel is
    ///   kept. It takes the place of the one before.
    /// * [`WhenSlow::Disconnect`]: the stream ends behind what waits, and
    ///   [`Subscription::was_too_slow`]. At the server the connection ends; it is made again, with all other
    ///   subscriptions. A client that reads nothing at all for a second more does not hear why: then the
    ///   stream goes on by the next connection, as after any that was lost, and
    ///   [`Message::interrupted_before`](crate::Message::interrupted_before) says so.
    ///
    /// The server does for a channel or pattern, or a group of it, what the most careful of this client's
    /// subscriptions to it wants.
    ///
    /// With history nothing is lost for want of room, and there is nothing to choose: it is refused with
    /// `InvalidArgument`.
    pub fn when_slow(mut self, when_slow: WhenSlow) -> Self {
        self.when_slow = when_slow;
        self
    }

    fn check(&self, wanted: &Wanted) -> Result<(), Error> {
        let wrong = |text: &str| Err(Error::InvalidArgument(text.to_owned()));
        match (self.history, &wanted.group, self.when_slow) {
            (Some(_), Some(_), _) => wrong("a queue group has no history"),
            (Some(_), None, WhenSlow::Latest | WhenSlow::DropOldest | WhenSlow::Disconnect) => {
                wrong(
                    "with history nothing is lost for want of room: expected no when_slow beside it",
                )
            }
            _ => Ok(()),
        }
    }
}

impl Future for Subscribing {
    type Output = Result<Subscription, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(wanted) = self.wanted.take() {
            let wanted = wanted.and_then(|wanted| self.check(&wanted).map(|()| wanted));
            let (client, history, when_slow) = (self.client.clone(), self.history, self.when_slow);
            let asking = async move { client.subscribe_to(wanted?, history, when_slow).await };
            self.asking = Some(Box::pin(asking));
        }
        let asking = self.asking.as_mut().expect("it is there from the first poll on");
        asking.as_mut().poll(cx)
    }
}

impl std::fmt::Debug for Subscribing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscribing")
            .field("history", &self.history)
            .field("when_slow", &self.when_slow)
            .finish_non_exhaustive()
    }
}

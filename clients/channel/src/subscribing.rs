//! How a subscription begins: live, or with what the server has kept.

use crate::client::ChannelClient;
use crate::error::Error;
use crate::subscription::Subscription;
use crate::wanted::Wanted;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A subscription to be: awaited, it subscribes.
#[must_use = "nothing is subscribed to before it is awaited"]
pub struct Subscribing {
    client: ChannelClient,
    wanted: Option<Result<Wanted, Error>>,
    history: Option<u64>,
    asking: Option<Asking>,
}

type Asking = Pin<Box<dyn Future<Output = Result<Subscription, Error>> + Send>>;

impl Subscribing {
    pub(crate) fn new(client: &ChannelClient, wanted: Result<Wanted, Error>) -> Self {
        Self { client: client.clone(), wanted: Some(wanted), history: None, asking: None }
    }

    /// Goes on, after a lost connection and after a message that there was no room for, behind the last
    /// message that it had: nothing is lost and nothing comes twice, as far as the server keeps the
    /// messages. What it does not keep any more is told by
    /// [`Message::missed_before`](crate::Message::missed_before), exactly.
    ///
    /// Of channels that are not kept the same is true but for the messages: what a lost connection has
    /// cost is counted for a channel, and told by
    /// [`Message::interrupted_before`](crate::Message::interrupted_before) for those of a pattern.
    pub fn with_history(self) -> Self {
        self.last(0)
    }

    /// [`Subscribing::with_history`], beginning with the last messages of each channel that are kept.
    pub fn last(mut self, count: u64) -> Self {
        self.history = Some(count);
        self
    }
}

impl Future for Subscribing {
    type Output = Result<Subscription, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(wanted) = self.wanted.take() {
            let (client, history) = (self.client.clone(), self.history);
            let asking = async move { client.subscribe_to(wanted?, history).await };
            self.asking = Some(Box::pin(asking));
        }
        let asking = self.asking.as_mut().expect("it is there from the first poll on");
        asking.as_mut().poll(cx)
    }
}

impl std::fmt::Debug for Subscribing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscribing").field("history", &self.history).finish_non_exhaustive()
    }
}

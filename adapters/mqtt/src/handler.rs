//! A function that is called for every message of a subscription.

use crate::message::Message;
use crate::subscription::{Acknowledge, Subscription};
use std::fmt::Display;
use tokio::task::JoinHandle;

/// A handler that is at work. Dropping it ends its subscription, and a call that is under way.
#[derive(Debug)]
#[must_use = "dropping it ends the subscription"]
pub struct Handler {
    task: JoinHandle<()>,
    filter: String,
}

impl Handler {
    /// What it was made for.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Whether it is at work still: no longer once the client is closed, or the broker has ended the
    /// subscription.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// Calls `handle` for one message after the other.
    pub(crate) fn start<H, F, E>(mut subscription: Subscription, mut handle: H) -> Self
    where
        H: FnMut(Message) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send,
        E: Display + Send,
    {
        let filter = subscription.filter().to_owned();
        let by_hand = subscription.acknowledge == Acknowledge::ByHand;
        let task = tokio::spawn(async move {
            while let Some(item) = subscription.next().await {
                let Ok(mut message) = item.map_err(|error| warn(&error)) else { continue };
                let share = if by_hand { message.token.take() } else { None };
                match handle(message).await {
                    Ok(()) => share.iter().for_each(|share| share.done()),
                    Err(error) => warn(&error),
                }
            }
        });
        Self { task, filter }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn warn(error: &dyn Display) {
    tracing::warn!(target: "workyard_adapter", service = "mqtt", %error, "a handler has trouble");
}

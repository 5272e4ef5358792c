//! A subscription: what arrives for it, until it is dropped.

use crate::buffer::{Buffer, Overflow};
use crate::command::Command;
use crate::message::Message;
use crate::qos::Qos;
use futures_util::Stream;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{mpsc, oneshot};
use workyard_adapter_kit::{Error, Guard};

/// When the broker is told that a message has arrived and need not be sent again (QoS 1 and 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// When it is in the buffer of the subscription.
    #[default]
    OnArrival,
    /// When it was taken from the subscription.
    OnTake,
    /// When [`Message::acknowledge`] is called; with [`Mqtt::on`](crate::Mqtt::on), when the handler has
    /// succeeded. What was not acknowledged when the subscription is dropped comes again where the session is
    /// kept; elsewhere it is gone.
    ByHand,
}

/// How a subscription is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscribe {
    /// The highest QoS its messages come with.
    pub qos: Qos,
    /// Most messages that wait to be taken: 1024. What the broker sends before it waits for an
    /// acknowledgement (20 with Mosquitto) should find room.
    pub buffer_max: usize,
    /// What gives way when there are more. The subscriber is told how many did.
    pub overflow: Overflow,
    /// When the broker is told.
    pub acknowledge: Acknowledge,
}

impl Subscribe {
    /// With this QoS, and all else as it usually is.
    #[must_use]
    pub fn new(qos: Qos) -> Self {
        let (overflow, acknowledge) = (Overflow::default(), Acknowledge::default());
        Self { qos, buffer_max: 1024, overflow, acknowledge }
    }

    /// With another bound on what waits.
    #[must_use]
    pub fn buffer_max(mut self, messages: usize) -> Self {
        self.buffer_max = messages;
        self
    }

    /// With another choice of what gives way.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// With another time at which the broker is told.
    #[must_use]
    pub fn acknowledge(mut self, acknowledge: Acknowledge) -> Self {
        self.acknowledge = acknowledge;
        self
    }
}

impl From<Qos> for Subscribe {
    fn from(qos: Qos) -> Self {
        Self::new(qos)
    }
}

/// What arrives for a filter. It outlives lost connections, and ends when it is dropped.
///
/// An error among the messages tells of messages that are missing: [`Busy`] when the buffer was full,
/// [`TooLarge`] when one was above `packet_bytes_max`. After an error of another kind nothing comes any
/// more.
///
/// [`Busy`]: workyard_adapter_kit::ErrorKind::Busy
/// [`TooLarge`]: workyard_adapter_kit::ErrorKind::TooLarge
#[derive(Debug)]
#[must_use = "dropping it ends the subscription"]
pub struct Subscription {
    pub(crate) filter: String,
    pub(crate) number: u64,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) buffer: Arc<Buffer>,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) guard: Guard,
}

impl Subscription {
    /// What it was made for.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The next message; none once it was ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|context| self.poll_message(context)).await
    }

    /// Ends it and waits until the broker has confirmed that, so that nothing of it is under way.
    ///
    /// # Errors
    /// When the broker does not confirm in time. It is ended all the same.
    pub async fn unsubscribe(self) -> Result<(), Error> {
        let (reply, confirmed) = oneshot::channel();
        self.end(Some(reply));
        let wait = self.guard.options().request_timeout;
        match tokio::time::timeout(wait, confirmed).await {
            Ok(Ok(outcome)) => outcome.map_err(|error| self.guard.placed(error)),
            Ok(Err(_)) => Ok(()),
            Err(_) => {
                let message = format!("not confirmed within {wait:?}");
                let kind = workyard_adapter_kit::ErrorKind::TimedOut;
                Err(self.guard.error(kind, message).during("unsubscribe"))
            }
        }
    }

    fn end(&self, reply: Option<crate::command::Reply>) {
        let (filter, member) = (self.filter.clone(), self.number);
        // Where nobody listens any more, there is nothing to end.
        let _ = self.commands.send(Command::Unsubscribe { filter, member, reply });
    }

    fn poll_message(&mut self, context: &Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        self.buffer.poll_take(context).map(|item| {
            item.map(|item| {
                let mut message = item.map_err(|error| self.guard.placed(error))?;
                if self.acknowledge == Acknowledge::OnTake {
                    message.acknowledge();
                }
                Ok(message)
            })
        })
    }
}

impl Stream for Subscription {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_message(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.buffer.abandon();
        self.end(None);
    }
}

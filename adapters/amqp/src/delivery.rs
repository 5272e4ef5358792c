//! A message that came, and what becomes of it.

use crate::amqp::Amqp;
use crate::error;
use crate::{Error, ErrorKind, Properties, Result};
use lapin::Channel;
use lapin::message::Delivery as Message;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use std::fmt;
use workyard_adapter_kit::{Call, Repeat};

/// A message of a [`Consumer`](crate::Consumer).
///
/// Dropped without an acknowledgement, it stays with the server as delivered until its consumer and all
/// its messages are dropped, or the connection ends; then it is delivered again.
pub struct Delivery {
    message: Message,
    /// Keeps the channel open as long as the message may be acknowledged.
    _channel: Channel,
    number: u64,
    amqp: Amqp,
}

impl Delivery {
    pub(crate) fn new(message: Message, channel: Channel, number: u64, amqp: Amqp) -> Self {
        Self { message, _channel: channel, number, amqp }
    }

    /// The body: any bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.message.data
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.message.data).map_err(|error| {
            let error = Error::new(ErrorKind::Protocol, "the body is not UTF-8").with_source(error);
            self.amqp.guard().placed(error)
        })
    }

    /// What is said about it: content type, headers, …
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.message.properties
    }

    /// The exchange that it was published to.
    #[must_use]
    pub fn exchange(&self) -> &str {
        self.message.exchange.as_str()
    }

    /// The routing key that it was published with.
    #[must_use]
    pub fn routing_key(&self) -> &str {
        self.message.routing_key.as_str()
    }

    /// Whether it may have been delivered before.
    #[must_use]
    pub fn is_redelivered(&self) -> bool {
        self.message.redelivered
    }

    /// Tells the server that it is done. Returns when that was handed to the connection.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when the connection that it came with was lost: the server delivers
    /// it again. [`ErrorKind::InvalidRequest`] when this was told before.
    pub async fn ack(&self) -> Result<()> {
        let acker = &self.message.acker;
        self.settle("ACK", async || acker.ack(BasicAckOptions::default()).await).await
    }

    /// Gives it back: into the queue, or to where the queue's dead letters go.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub async fn nack(&self, requeue: bool) -> Result<()> {
        let options = BasicNackOptions { requeue, ..Default::default() };
        self.settle("NACK", async || self.message.acker.nack(options).await).await
    }

    /// The same, as servers that do not know `nack` understand it.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub async fn reject(&self, requeue: bool) -> Result<()> {
        let options = BasicRejectOptions { requeue };
        self.settle("REJECT", async || self.message.acker.reject(options).await).await
    }

    async fn settle(
        &self,
        operation: &'static str,
        settle: impl AsyncFn() -> lapin::Result<bool>,
    ) -> Result<()> {
        let acker = &self.message.acker;
        let placed = |error: Error| self.amqp.guard().placed(error.during(operation));
        if !self.amqp.shared().is_live(self.number) || acker.poisoned() {
            return Err(placed(error::outlived()));
        }
        if !acker.usable() {
            let message = "the message was acknowledged or given back before";
            return Err(placed(Error::new(ErrorKind::InvalidRequest, message)));
        }
        let call = Call::new(operation).repeat(Repeat::Never);
        let settled = self.amqp.guard().call(call, async || match settle().await {
            Ok(true) => Ok(()),
            // Between the look at it and now.
            Ok(false) => Err(error::outlived()),
            Err(error) => Err(error::of_request(error)),
        });
        settled.await
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("exchange", &self.exchange())
            .field("routing_key", &self.routing_key())
            .field("body_bytes", &self.body().len())
            .finish_non_exhaustive()
    }
}

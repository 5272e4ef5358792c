//! The handle of a client, and what it publishes.

use crate::builder::{Builder, Settings};
use crate::error::Error;
use crate::session::ChannelSession;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use workyard_link::limits::{LENGTH_BYTES, check_header};
use workyard_link::{Address, AddressError, Events, Link, Mailbox, Server};
use workyard_protocol::channel::{Publish, PublishMany, PublishOne, Reply, Request};
use workyard_protocol::{ChannelName, DecodeError, Reason, Value, to_value};

/// A client of channel-server: cheap to clone, usable from any task.
///
/// The connection lives as long as any handle, subscription, consumer or job does. When the last of
/// them is dropped, what was sent is still delivered, and the connection ends.
#[derive(Clone, Debug)]
pub struct ChannelClient {
    pub(crate) link: Link<ChannelSession>,
    pub(crate) settings: Settings,
}

impl ChannelClient {
    /// Connects with default settings: `host:port`, `tcp://host:port` or `unix:///path`.
    ///
    /// # Errors
    /// `InvalidAddress`, `Unreachable`, `Rejected`.
    pub async fn connect<A>(address: A) -> Result<Self, Error>
    where
        A: TryInto<Address>,
        AddressError: From<A::Error>,
    {
        Self::builder(address).connect().await
    }

    /// A client to be, for other settings.
    ///
    /// ```no_run
    /// # use workyard_channel::{ChannelClient, Encoding};
    /// # async fn example() -> Result<(), workyard_channel::Error> {
    /// let client = ChannelClient::builder("unix:///run/workyard/channel.sock")
    ///     .name("mailer")
    ///     .encoding(Encoding::Json)
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder<A>(address: A) -> Builder
    where
        A: TryInto<Address>,
        AddressError: From<A::Error>,
    {
        Builder::new(address.try_into().map_err(AddressError::from))
    }

    pub(crate) fn new(link: Link<ChannelSession>, settings: Settings) -> Self {
        Self { link, settings }
    }

    /// The same client with another timeout for the calls made through this handle.
    #[must_use]
    pub fn with_call_timeout(&self, timeout: Duration) -> Self {
        Self { link: self.link.with_call_timeout(timeout), settings: self.settings }
    }

    /// The same client, whose requests may be handed to another responder when the first is gone without an
    /// answer: for questions whose work does no harm when it is done twice, such as reading.
    #[must_use]
    pub fn with_repeatable_requests(&self) -> Self {
        let settings = Settings { repeatable_requests: true, ..self.settings };
        Self { link: self.link.clone(), settings }
    }

    /// Delivers a value to every subscriber of a channel, this client's own included. Returns to how
    /// many sessions it went.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn publish<T>(&self, channel: impl AsRef<[u8]>, value: &T) -> Result<u64, Error>
    where
        T: Serialize + ?Sized,
    {
        self.publish_value(channel, &self.encode(value)?).await
    }

    /// [`ChannelClient::publish`] of exactly this value.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn publish_value(
        &self,
        channel: impl AsRef<[u8]>,
        value: &Value,
    ) -> Result<u64, Error> {
        let channel = ChannelName::new(channel.as_ref())?;
        self.published(Request::Publish(Publish { channel, value: value.as_ref() })).await
    }

    /// Delivers one value to the subscribers of several channels, in this order. Returns the sum of
    /// the sessions that it went to.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for more than 16 384 channels
    /// or 1 MiB of names.
    pub async fn publish_many<T, C>(
        &self,
        channels: impl IntoIterator<Item = C>,
        value: &T,
    ) -> Result<u64, Error>
    where
        T: Serialize + ?Sized,
        C: AsRef<[u8]>,
    {
        self.publish_many_value(channels, &self.encode(value)?).await
    }

    /// [`ChannelClient::publish_many`] of exactly this value.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for more than 16 384 channels
    /// or 1 MiB of names.
    pub async fn publish_many_value<C: AsRef<[u8]>>(
        &self,
        channels: impl IntoIterator<Item = C>,
        value: &Value,
    ) -> Result<u64, Error> {
        let names: Vec<C> = channels.into_iter().collect();
        // Beside the names, the header says how the value is encoded.
        let bytes = names.iter().map(|name| LENGTH_BYTES + name.as_ref().len()).sum::<usize>() + 1;
        check_header("channels", names.len(), bytes).map_err(Error::InvalidArgument)?;
        let channels =
            names.iter().map(|name| ChannelName::new(name.as_ref())).collect::<Result<_, _>>()?;
        self.published(Request::PublishMany(PublishMany { channels, value: value.as_ref() })).await
    }

    /// Delivers a value to one subscriber of a channel, each session in its turn, groups apart.
    /// Returns 0 when there is none.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn publish_one<T>(&self, channel: impl AsRef<[u8]>, value: &T) -> Result<u64, Error>
    where
        T: Serialize + ?Sized,
    {
        self.publish_one_value(channel, &self.encode(value)?).await
    }

    /// [`ChannelClient::publish_one`] of exactly this value.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn publish_one_value(
        &self,
        channel: impl AsRef<[u8]>,
        value: &Value,
    ) -> Result<u64, Error> {
        let channel = ChannelName::new(channel.as_ref())?;
        self.published(Request::PublishOne(PublishOne { channel, value: value.as_ref() })).await
    }

    /// Publishes without waiting for an answer: the fastest way, and the one that may lose. Returns
    /// when there is room in the command queue; without a connection the message waits there.
    /// [`ChannelClient::flush`] tells whether all arrived, [`Event::Refused`](crate::Event::Refused)
    /// when the server refused one.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn send<T>(&self, channel: impl AsRef<[u8]>, value: &T) -> Result<(), Error>
    where
        T: Serialize + ?Sized,
    {
        self.send_value(channel, &self.encode(value)?).await
    }

    /// [`ChannelClient::send`] of exactly this value.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn send_value(&self, channel: impl AsRef<[u8]>, value: &Value) -> Result<(), Error> {
        let channel = ChannelName::new(channel.as_ref())?;
        let request = Request::Publish(Publish { channel, value: value.as_ref() });
        Ok(self.link.send(&request).await?)
    }

    /// Returns when the server has dealt with everything that was sent through this handle.
    ///
    /// # Errors
    /// `Disconnected` when a connection was lost since the last flush, and with it perhaps what was
    /// sent; else as [`ChannelClient::ping`].
    pub async fn flush(&self) -> Result<(), Error> {
        Ok(self.link.flush().await?)
    }

    /// How long the server takes to answer.
    ///
    /// # Errors
    /// `Unreachable`, `TimedOut`, `Disconnected`, `Closed`.
    pub async fn ping(&self) -> Result<Duration, Error> {
        Ok(self.link.ping().await?)
    }

    /// What happens to the connection from now on: lost, restored, messages missed.
    #[must_use]
    pub fn events(&self) -> Events {
        self.link.events()
    }

    /// Who is connected to; nothing while there is no connection.
    #[must_use]
    pub fn server(&self) -> Option<Arc<Server>> {
        self.link.server()
    }

    /// Ends the connection when all that is queued is sent and answered, or after `within`. Streams
    /// end, other handles find the client closed, jobs not acknowledged go back to their queues.
    ///
    /// # Errors
    /// `TimedOut` or `Disconnected` when something was left undone.
    pub async fn close(&self, within: Duration) -> Result<(), Error> {
        Ok(self.link.close(within).await?)
    }

    pub(crate) fn encode<T: Serialize + ?Sized>(&self, value: &T) -> Result<Value, Error> {
        to_value(value, self.settings.encoding).map_err(Error::Encode)
    }

    /// A buffer for what a stream of this client is sent.
    pub(crate) fn mailbox<T>(&self) -> Arc<Mailbox<T>> {
        Arc::new(Mailbox::new(
            self.settings.subscription_messages_max.max(1),
            self.settings.subscription_bytes_max,
        ))
    }

    /// Asks for what has no other answer than that it is done.
    pub(crate) async fn done(&self, request: Request<'_>) -> Result<(), Error> {
        match self.link.request(&request).await?.decode()? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn published(&self, request: Request<'_>) -> Result<u64, Error> {
        let received = self.link.request(&request).await?;
        match received.decode()? {
            Reply::Published { receivers } => Ok(receivers),
            other => Err(unexpected(&other)),
        }
    }
}

/// Settles what was handed out by a connection. Returns whether it was still there to be settled: it is
/// not when another connection has followed, or the server says so, for this reason.
pub(crate) async fn settle(
    link: &Link<ChannelSession>,
    connection: u64,
    request: Request<'_>,
    over: Reason,
) -> Result<bool, Error> {
    match link.request_on(connection, &request).await {
        Ok(received) => match received.decode()? {
            Reply::Done => Ok(true),
            other => Err(unexpected(&other)),
        },
        Err(workyard_link::Error::ConnectionReplaced) => Ok(false),
        Err(workyard_link::Error::Refused(refusal)) if refusal.reason == over => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The error for a reply that answers another question.
pub(crate) fn unexpected(reply: &Reply<'_>) -> Error {
    DecodeError::Malformed(format!("{reply:?} is no answer to this request")).into()
}

//! What happens to a connection, for whoever wants to know.

use crate::address::Address;
use crate::error::DisconnectReason;
use crate::state::Server;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{SelectAll, Stream};
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use workyard_protocol::Refusal;

/// Something that happened to a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// There is a connection, and what was subscribed to before is being restored on it.
    Connected {
        /// Who answered.
        server: Arc<Server>,
        /// Whether it is the same run of the server as before: what it kept in memory is still there.
        resumed: bool,
    },
    /// The connection is gone. The client connects again by itself.
    Disconnected {
        /// The server that it led to.
        address: Address,
        /// How it ended.
        reason: DisconnectReason,
    },
    /// Messages will not arrive.
    Gap {
        /// Their channel, if they were all of one that is known.
        channel: Option<Bytes>,
        /// The numbers of the first and the last, where they are known.
        numbers: Option<RangeInclusive<u64>>,
        /// How many.
        missed: u64,
        /// Who dropped them.
        cause: GapCause,
    },
    /// The server refused something whose outcome nobody waits for.
    Refused(Refusal),
    /// A new connection's server refused to restore a subscription or a consumer: its stream ends.
    RestoreRefused {
        /// The name or pattern of the channels, or the name of the queue.
        name: Bytes,
        /// Why.
        refusal: Refusal,
    },
    /// A subscription that shall miss nothing had no room for a message, here or at the server: its stream
    /// ends.
    TooSlow {
        /// The name or pattern of the channels.
        name: Bytes,
    },
    /// This receiver was too slow and missed that many events.
    Lagged(u64),
}

/// Why messages will not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapCause {
    /// The connection was too slow for the server's write buffer.
    Server,
    /// A subscription was too slow for its buffer in this process.
    Subscription,
    /// A subscription with history came back too late: the server does not keep them any more. When
    /// `missed` is 0, nobody knows how many they are.
    History,
}

/// The events from now on. A bounded number is kept for a slow receiver, then [`Event::Lagged`]
/// stands for what it missed. Ends when the client does.
pub struct Events {
    streams: SelectAll<BroadcastStream<Event>>,
}

impl Events {
    pub(crate) fn new(receiver: Option<broadcast::Receiver<Event>>) -> Self {
        Self { streams: receiver.into_iter().map(BroadcastStream::new).collect() }
    }

    /// The events of several connections as one.
    pub fn merge(all: impl IntoIterator<Item = Self>) -> Self {
        Self { streams: all.into_iter().flat_map(|events| events.streams.into_iter()).collect() }
    }

    /// The next event; nothing when the client has ended.
    pub async fn next(&mut self) -> Option<Event> {
        StreamExt::next(self).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.streams.poll_next_unpin(cx).map(|event| {
            event.map(|event| {
                event.unwrap_or_else(|error| match error {
                    BroadcastStreamRecvError::Lagged(count) => Event::Lagged(count),
                })
            })
        })
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

//! Questions and answers: [`Requester`] and [`Replier`].

use crate::core::{Core, Received};
use crate::kind::Kind;
use crate::message::Message;
use crate::options::Options;
use crate::socket::{Socket, To, socket};
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use workyard_adapter_kit::{Call, Error, ErrorKind, Repeat, State, Stats};

socket! {
    /// Asks one of its peers, whichever is ready first. Many requests may be under way at the same time.
    Requester
}

socket! {
    /// Answers requests.
    Replier
}

impl Requester {
    /// Makes a request and waits for its reply, for `request_timeout`. A reply that comes later is nobody's,
    /// and the next request is not in its way. None is made twice.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut) without a reply in time (when no peer had taken it
    /// either, [`Error::outcome_unknown`] is false), [`ErrorKind::Disconnected`](crate::ErrorKind::Disconnected) when the peer that has the
    /// request is lost, [`ErrorKind::Busy`](crate::ErrorKind::Busy) when too many wait for that long, [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub async fn request(&self, message: impl Into<Message>) -> Result<Message, Error> {
        let limit = self.0.core().options.calls.request_timeout;
        self.request_within(message, limit).await
    }

    /// The same, with another bound.
    ///
    /// # Errors
    /// The same.
    pub async fn request_within(
        &self,
        message: impl Into<Message>,
        limit: Duration,
    ) -> Result<Message, Error> {
        let (core, message) = (self.0.started()?, message.into());
        // Longer than the wait itself: the guard would not know what was sent.
        let bound = limit.saturating_add(Duration::from_secs(1));
        let call = Call::new("REQUEST").repeat(Repeat::Never).within(bound);
        let begun = Instant::now();
        core.guard
            .call(call, async || self.attempt(core, message.clone(), begun, limit).await)
            .await
    }

    async fn attempt(
        &self,
        core: &Core,
        message: Message,
        begun: Instant,
        limit: Duration,
    ) -> Result<Message, Error> {
        let request = Waiting::new(core);
        let number = Bytes::copy_from_slice(&request.number.to_be_bytes());
        let message = message.behind([number, Bytes::new()]);
        self.0.fits(&message)?;
        let replied = core.state().peers.request(request.number);
        let left = || limit.saturating_sub(begun.elapsed());
        timeout(left(), core.shared.push(message)).await.map_err(|_| self.0.full(limit))?;
        match timeout(left(), replied).await {
            Ok(replied) => replied.unwrap_or_else(|_| Err(core.closed())),
            Err(_) => Err(request.late(limit)),
        }
    }
}

/// Somebody waits for a reply. Once that is over, a request that was not written yet never will be.
struct Waiting<'a> {
    core: &'a Core,
    number: u64,
}

impl<'a> Waiting<'a> {
    fn new(core: &'a Core) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self { core, number: COUNT.fetch_add(1, Relaxed) }
    }

    /// There is no reply in time.
    fn late(&self, limit: Duration) -> Error {
        if self.withdraw() {
            let message = format!("no peer took the request within {limit:?}");
            return Error::new(ErrorKind::TimedOut, message).not_carried_out();
        }
        Error::new(ErrorKind::TimedOut, format!("no reply within {limit:?}"))
    }

    /// Takes the request out of the queue; whether it was still there.
    fn withdraw(&self) -> bool {
        let number = self.number.to_be_bytes();
        self.core.shared.withdraw(|message| message.parts()[0] == number[..])
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.core.state().peers.forget(self.number);
        self.withdraw();
    }
}

impl Replier {
    /// The next request. Others can be received before it is replied to. Whoever gives up waiting loses
    /// none.
    ///
    /// # Errors
    /// When it was closed, or cannot be bound.
    pub async fn recv(&self) -> Result<Request, Error> {
        self.0.receive().await.map(|received| Request::new(&self.0, received))
    }

    /// The same, for so long at most.
    ///
    /// # Errors
    /// The same, and [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut).
    pub async fn recv_within(&self, limit: Duration) -> Result<Request, Error> {
        self.0.receive_within(limit).await.map(|received| Request::new(&self.0, received))
    }
}

/// A request that waits to be replied to. Dropped, it never is.
pub struct Request {
    socket: Socket,
    peer: Bytes,
    /// Which connection of that peer has asked.
    number: u64,
    /// What comes before the request, up to the empty part, and goes back with the reply.
    envelope: Vec<Bytes>,
    message: Message,
}

impl Request {
    fn new(socket: &Socket, received: Received) -> Self {
        let mut envelope = received.message.into_parts();
        let end = envelope.iter().position(Bytes::is_empty).map_or(0, |place| place + 1);
        let message = envelope.split_off(end).into();
        let Received { peer, number, .. } = received;
        Self { socket: socket.clone(), peer, number, envelope, message }
    }

    /// What is asked.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Sends the reply to who has asked.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when that one has gone, even if it has
    /// connected again: it does not wait for this reply any more; otherwise as for
    /// [`Push::send`](crate::Push::send).
    pub async fn reply(self, message: impl Into<Message>) -> Result<(), Error> {
        let message = message.into().behind(self.envelope);
        self.socket.send(To::Connection(&self.peer, self.number), message).await
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("message", &self.message).finish_non_exhaustive()
    }
}

//! What a service adds to a connection: a state machine that the connection's task owns.

use crate::error::DisconnectReason;
use crate::event::Event;
use crate::received::{Received, Unread};
use crate::state::Server;
use tokio::time::Instant;
use workyard_protocol::control::ServiceKind;
use workyard_protocol::{DecodeError, Message, Refusal};

/// What a service adds to a connection. It is told what happens and fills an [`Outbox`]; it never
/// waits, and what it appends is sent in that order.
pub trait Session: Send + 'static {
    /// What handles ask of the session, in order with their requests.
    type Command: Send + 'static;

    /// The service to say hello to.
    fn service(&self) -> ServiceKind;

    /// There is a new connection. What is appended here is sent before anything else.
    fn connected(&mut self, server: &Server, outbox: &mut Outbox);

    /// The connection is gone for this reason, and with it every answer still expected: those tokens
    /// never come back. Requests appended until the next connection are dropped.
    fn disconnected(&mut self, reason: &DisconnectReason, outbox: &mut Outbox);

    /// A handle asked for something. Released handles are heard of while there is no connection too.
    fn command(&mut self, command: Self::Command, outbox: &mut Outbox);

    /// The server sent something unasked.
    ///
    /// # Errors
    /// What is wrong with it. An unknown operation is passed over, anything else ends the connection.
    fn pushed(&mut self, push: &Received, outbox: &mut Outbox) -> Result<(), DecodeError>;

    /// The server answered the request that was appended with this token.
    ///
    /// # Errors
    /// What is wrong with the answer; that ends the connection. A refusal is an answer like others.
    fn answered(
        &mut self,
        token: u64,
        answer: Result<Received, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError>;

    /// When [`Session::woken`] is to be called on this connection, if ever.
    fn wake_at(&self) -> Option<Instant> {
        None
    }

    /// The time has come. [`Session::wake_at`] must be later than `now` when this returns.
    fn woken(&mut self, now: Instant, outbox: &mut Outbox) {
        let _ = (now, outbox);
    }

    /// Everything that was there has been dealt with; the task is about to write.
    fn turn_ended(&mut self, outbox: &mut Outbox) {
        let _ = outbox;
    }
}

/// A request of a session, encoded but for its id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// What the session will know the answer by.
    pub token: u64,
    /// The operation code.
    pub operation: u8,
    /// Header and payload.
    pub body: Vec<u8>,
}

impl Outgoing {
    /// Reads it again, as tests do.
    ///
    /// # Errors
    /// When it is none of these words.
    pub fn decode<'a, M: Message<'a>>(&'a self) -> Result<M, DecodeError> {
        M::decode(self.operation, &self.body)
    }
}

/// What a session wants to happen, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    requests: Vec<Outgoing>,
    events: Vec<Event>,
}

impl Outbox {
    /// Sends a request; [`Session::answered`] brings the answer with the same token.
    pub fn request<'a>(&mut self, token: u64, message: &impl Message<'a>) {
        let mut body = Vec::new();
        message.put(&mut body);
        self.requests.push(Outgoing { token, operation: message.operation(), body });
    }

    /// Tells whoever listens to the client's events.
    pub fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Takes the requests appended so far.
    pub fn take_requests(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.requests)
    }

    /// Takes the events appended so far.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.events.is_empty()
    }
}

/// The session of a service that sends nothing unasked and has nothing to restore.
#[derive(Clone, Copy, Debug)]
pub struct Stateless(pub ServiceKind);

impl Session for Stateless {
    type Command = std::convert::Infallible;

    fn service(&self) -> ServiceKind {
        self.0
    }

    fn connected(&mut self, _: &Server, _: &mut Outbox) {}

    fn disconnected(&mut self, _: &DisconnectReason, _: &mut Outbox) {}

    fn command(&mut self, command: Self::Command, _: &mut Outbox) {
        match command {}
    }

    fn pushed(&mut self, push: &Received, _: &mut Outbox) -> Result<(), DecodeError> {
        let unread: Unread<'_> = push.decode()?;
        tracing::debug!(operation = unread.operation, "passing over a push");
        Ok(())
    }

    fn answered(
        &mut self,
        _: u64,
        _: Result<Received, Refusal>,
        _: &mut Outbox,
    ) -> Result<(), DecodeError> {
        Ok(())
    }
}

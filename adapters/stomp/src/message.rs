//! A message that came, and what becomes of it.

use crate::codec::{Command, Frame, Headers};
use crate::held::Held;
use crate::request::{Bound, What};
use crate::stomp::Stomp;
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use workyard_adapter_kit::Repeat;

const GONE: &str =
    "the message came with a connection that was lost since; the server delivers it again";

/// A message of a [`Subscription`](crate::Subscription).
///
/// Dropped without an acknowledgement where one is needed, it stays with the server as delivered until
/// its subscription or the connection ends; then it is delivered again.
pub struct Message {
    frame: Frame,
    /// What the server waits to hear about, if it does.
    held: Option<Arc<Held>>,
    stomp: Stomp,
}

impl Message {
    pub(crate) fn new(frame: Frame, held: Option<Arc<Held>>, stomp: Stomp) -> Self {
        Self { frame, held, stomp }
    }

    /// The body: any bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.frame.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.frame.body).map_err(|error| {
            let error = Error::new(ErrorKind::Protocol, "the body is not UTF-8").with_source(error);
            self.stomp.guard().placed(error)
        })
    }

    /// Everything that is said about it.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.frame.headers
    }

    /// The value of the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.frame.header(name)
    }

    /// Where it was sent to.
    #[must_use]
    pub fn destination(&self) -> &str {
        self.header("destination").unwrap_or_default()
    }

    /// The server's name for it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header("message-id").unwrap_or_default()
    }

    /// Tells the server that it is done; with [`Ack::Client`](crate::Ack::Client) all those before, too.
    /// Returns when that was handed to the connection.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when the connection that it came with was lost: the server delivers
    /// it again. [`ErrorKind::InvalidRequest`] when it needs no acknowledgement or has one.
    pub async fn ack(&self) -> Result<()> {
        self.settle("ACK", Command::Ack, None).await
    }

    /// Gives it back to the server, which delivers it again or puts it aside.
    ///
    /// # Errors
    /// As [`Message::ack`]; also when the server speaks STOMP 1.0, which has no such thing.
    pub async fn nack(&self) -> Result<()> {
        self.settle("NACK", Command::Nack, None).await
    }

    pub(crate) async fn settle(
        &self,
        operation: &'static str,
        command: Command,
        transaction: Option<&str>,
    ) -> Result<()> {
        let held = self
            .held(command)
            .map_err(|error| self.stomp.guard().placed(error.during(operation)))?;
        let frame = Arc::new(held.frame(command, transaction));
        let what = What::Settling(frame, Arc::clone(held));
        let bound = Bound { number: held.number, otherwise: GONE };
        self.stomp.request(operation, Repeat::IfUnsent, what, Some(bound)).await?;
        Ok(())
    }

    pub(crate) fn held(&self, command: Command) -> Result<&Arc<Held>> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidRequest, message));
        match &self.held {
            None => invalid("this subscription needs no acknowledgements"),
            Some(held) if command == Command::Nack && !held.can_nack() => {
                invalid("STOMP 1.0 cannot give messages back")
            }
            Some(held) => Ok(held),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("headers", &self.frame.headers)
            .field("body_bytes", &self.frame.body.len())
            .finish_non_exhaustive()
    }
}

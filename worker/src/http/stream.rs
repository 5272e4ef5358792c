//! Responses that are sent piece by piece.

use super::pipe::{Inlet, StreamError, pipe};
use super::{Content, Response};
use bytes::Bytes;

/// Sends the body of a response piece by piece. It has to [`BodySender::finish`]; if it is only dropped, the peer
/// is not told that this was all, and its connection ends.
#[derive(Debug)]
pub struct BodySender(Inlet);

impl Response {
    /// A response whose length nobody knows yet (`Transfer-Encoding: chunked`), and what its body is sent with.
    ///
    /// ```
    /// use workyard_worker::{Worker, http::Response, protocols::Http};
    ///
    /// let worker = Worker::<Http>::bind("http://0.0.0.0:2345").on_message(async |connection, _| {
    ///     let (response, body) = Response::stream();
    ///     connection.send(response.header("Content-Type", "text/plain"));
    ///     for line in 0..100_000 {
    ///         body.send(format!("{line}\n")).await?;
    ///     }
    ///     body.finish();
    ///     Ok::<_, workyard_worker::http::StreamError>(())
    /// });
    /// ```
    #[must_use]
    pub fn stream() -> (Self, BodySender) {
        let (inlet, outlet) = pipe();
        (Self::with(Content::Stream(outlet)), BodySender(inlet))
    }
}

impl BodySender {
    /// Sends a piece; waits while 256 KiB wait already.
    ///
    /// # Errors
    /// [`StreamError::Gone`].
    pub async fn send(&self, piece: impl Into<Bytes>) -> Result<(), StreamError> {
        self.0.send(piece.into()).await
    }

    /// Sends a piece, or says that it cannot.
    ///
    /// # Errors
    /// [`StreamError::Gone`] or [`StreamError::Full`]; nothing of the piece is sent.
    pub fn try_send(&self, piece: impl Into<Bytes>) -> Result<(), StreamError> {
        self.0.try_send(piece.into())
    }

    /// Says that this was all.
    pub fn finish(self) {
        self.0.finish();
    }

    /// Whether nobody reads any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_gone()
    }

    /// Waits until nobody reads any more.
    pub async fn closed(&self) {
        self.0.gone().await;
    }
}

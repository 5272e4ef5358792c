//! What only WebSocket workers have.

use super::handlers::with;
use super::{Connection, Outcome, Worker};
use crate::protocols::WebSocket;
use crate::websocket::Handshake;

impl<D: Default + 'static> Worker<WebSocket, D> {
    /// Called when a peer asks to open a WebSocket, once for each connection, before it is answered. What is sent
    /// in it follows the answer.
    ///
    /// If it fails, or says [`Handshake::refuse`], the WebSocket is not opened.
    ///
    /// ```
    /// use workyard_worker::{Worker, protocols::WebSocket};
    ///
    /// let worker = Worker::<WebSocket>::bind("websocket://0.0.0.0:2000")
    ///     .on_websocket_connect(async |connection, handshake| {
    ///         if handshake.origin() != Some("https://chat.example") {
    ///             return handshake.refuse(403, "Only for chat.example.");
    ///         }
    ///         connection.send(format!("Welcome to {}", handshake.path()));
    ///     });
    /// ```
    #[must_use]
    pub fn on_websocket_connect<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Connection<WebSocket, D>, Handshake) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.opening = with(callback);
        self
    }
}

//! What only WebSocket connections have.

use super::Connection;
use crate::protocols::WebSocket;
use crate::websocket::{Close, CloseCode};

impl<D: 'static> Connection<WebSocket, D> {
    /// Sends what is queued, tells the peer why, and ends. Of a reason longer than [`Close::REASON_BYTES_MAX`] the
    /// beginning is sent. [`Connection::close`] says [`CloseCode::NORMAL`].
    pub fn close_because(&self, code: CloseCode, reason: &str) {
        self.0.wire.borrow_mut().close_because(code, reason);
        self.close();
    }

    /// What the peer said when it closed; none if it has not, or the connection was lost without a word.
    #[must_use]
    pub fn closed_by_peer(&self) -> Option<Close> {
        self.0.wire.borrow().closed_by_peer().cloned()
    }
}

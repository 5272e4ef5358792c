//! What a client asks for when it is connected.

use super::{Client, ClientBuilder, ClientScheme};
use crate::address::{Address, AddressError};
use crate::protocols::WebSocket;
use crate::scheme::WireLimits;
use crate::stream::Stream;
use crate::websocket::{Close, CloseCode, check_header, parse_address};
use crate::wire::WebSocketWire;

/// An address, and what some protocols say at the beginning.
#[derive(Clone, Debug, Default)]
pub struct Target {
    pub(crate) address: String,
    pub(crate) protocols: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
}

impl ClientScheme for WebSocket {
    fn parse(address: &str) -> Result<Address, AddressError> {
        parse_address(address)
    }

    fn wire(stream: Stream, limits: WireLimits, target: &Target) -> WebSocketWire {
        WebSocketWire::client(stream, limits, target)
    }
}

/// What only clients of WebSockets have. Their addresses are `ws://HOST:PORT/PATH?QUERY` or `wss://`.
/// They are connected (`on_connect`) before the server has opened the WebSocket; what is sent meanwhile waits for that.
impl<D: Default + 'static> ClientBuilder<WebSocket, D> {
    /// Offers sub-protocols, the preferred first.
    #[must_use]
    pub fn protocols<const N: usize>(mut self, protocols: [&str; N]) -> Self {
        self.target.protocols = protocols.map(str::to_owned).into();
        let wrong = protocols.iter().find(|name| check_header(name, "").is_err());
        self.wrong = wrong.map(|name| format!("{name:?} is no sub-protocol")).or(self.wrong);
        self
    }

    /// Adds a header to the request that opens the WebSocket. One that cannot be is an error of
    /// [`ClientBuilder::connect`].
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match check_header(name, value) {
            Ok(()) => self.target.headers.push((name.to_owned(), value.to_owned())),
            Err(error) => self.wrong = Some(error.to_string()),
        }
        self
    }
}

impl<D: 'static> Client<WebSocket, D> {
    /// Sends what is queued, tells the peer why, and ends. See
    /// [`Connection::close_because`](crate::Connection::close_because).
    pub fn close_because(&self, code: CloseCode, reason: &str) {
        self.end();
        self.connection().close_because(code, reason);
    }

    /// What the peer said when it closed; none if it has not, or the connection was lost without a word.
    #[must_use]
    pub fn closed_by_peer(&self) -> Option<Close> {
        self.connection().closed_by_peer()
    }
}

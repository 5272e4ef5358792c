//! WebSockets, as browsers speak them.

use crate::scheme::Scheme;
use crate::websocket::{Handshake, Message, Reply};
use crate::wire::WebSocketWire;

/// RFC 6455, without extensions. Pings are answered, and pongs not told of.
///
/// `package_bytes_max` is the longest message, of however many frames it is made.
#[derive(Clone, Copy, Debug)]
pub struct WebSocket;

impl Scheme for WebSocket {
    const NAME: &'static str = "websocket";
    const HAS_DATAGRAMS: bool = false;
    type Opening = Handshake;
    type Message = Message;
    type Reply = Reply;
    type Wire = WebSocketWire;
}

//! Protocols on connections.

mod framed;
mod http;
mod link;
mod websocket;

pub(crate) use framed::Framed;
pub(crate) use http::{HttpWire, is_keep_alive};
pub(crate) use websocket::WebSocketWire;

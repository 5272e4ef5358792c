//! Protocols on connections.

mod framed;
mod http;

pub(crate) use framed::Framed;
pub(crate) use http::{HttpWire, is_keep_alive};

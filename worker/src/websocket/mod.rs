//! What WebSocket connections exchange: the handshake, messages, and how they close.

mod close;
mod handshake;
mod message;
mod opening;
mod request;
mod response;

pub use close::{Close, CloseCode};
pub use handshake::Handshake;
pub(crate) use handshake::check_header;
pub use message::{Message, Reply};
pub(crate) use opening::{Opening, parse_address};
pub(crate) use request::{HEAD_BYTES_MAX, parse};
pub(crate) use response::Refusal;

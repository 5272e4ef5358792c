//! The protocols that are there already.

mod frame;
mod http;
mod tcp;
mod text;
mod websocket;

pub use frame::Frame;
pub use http::Http;
pub use tcp::Tcp;
pub use text::Text;
pub use websocket::WebSocket;

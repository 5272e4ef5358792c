//! Protocols on connections.

mod framed;

pub use framed::Framed;

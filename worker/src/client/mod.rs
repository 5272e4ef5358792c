//! Connections that a worker process makes itself.

mod backoff;
mod builder;
mod callbacks;
pub(crate) mod clients;
mod connect;
mod handle;
mod proxy;
mod target;
mod udp;

pub use backoff::Backoff;
pub use builder::{ClientBuilder, ClientScheme};
pub use handle::Client;
pub use target::Target;
pub use udp::{UdpClient, UdpClientBuilder};

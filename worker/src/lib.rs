//! Servers of several processes: a supervisor that only watches, and workers that serve connections.

mod address;
mod connection;
pub mod embedded;
pub mod http;
mod listener;
mod orders;
mod outcome;
mod payload;
mod protocol;
pub mod protocols;
mod proxies;
mod scheme;
mod service;
mod settings;
mod socket;
mod stream;
mod task;
mod timer;
mod tls;
mod wire;
mod worker;

pub use address::{Address, AddressError, Endpoint, Transport};
pub use connection::{Connection, ConnectionError, ConnectionState, Refused, Sent};
pub use orders::{ConnectionStatus, WorkerStatus};
pub use outcome::{CallbackError, Outcome};
pub use payload::Payload;
pub use protocol::{Input, Protocol, ProtocolError};
pub use proxies::Proxies;
pub use scheme::{Scheme, Traffic, WireError};
pub use service::Service;
pub use task::{BlockingPanicked, blocking, spawn};
pub use timer::Timer;
pub use tls::{Tls, TlsError};
pub use worker::{Connections, OnFailure, Worker, WorkerProcess};

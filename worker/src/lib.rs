//! Servers of several processes: a supervisor that only watches, and workers that serve connections.

mod address;
mod orders;
mod service;
mod settings;
mod socket;

pub use address::{Address, AddressError, Endpoint, Transport};
pub use orders::{ConnectionStatus, WorkerStatus};
pub use service::Service;

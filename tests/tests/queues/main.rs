//! Work queues over the wire.

mod jobs;
mod leases;
mod settings;

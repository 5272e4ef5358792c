//! memcached, for workers and any tokio program.

#![doc = include_str!("../README.md")]

mod commands;
mod connection;
mod decoder;
mod error;
mod expiry;
mod item;
mod key;
mod limits;
mod many;
mod memcached;
mod options;
mod request;
mod ring;
mod route;
mod server;
mod servers;

pub use item::{Cas, CasOutcome, Item};
pub use memcached::Memcached;
pub use options::Options;
pub use workyard_adapter_kit::{
    Backoff, BreakerOptions, CallOptions, CallReport, ConnectionEvent, Error, ErrorKind, Observer,
    Result, RetryOptions, Stats, Tls,
};

/// What errors, metrics and events call it.
pub(crate) const SERVICE: &str = "memcached";

//! Shared variables over the wire.

mod batches;
mod expiry;
mod locks;
mod modifications;
mod operations;
mod streams;

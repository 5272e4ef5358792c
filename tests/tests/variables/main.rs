//! Shared variables over the wire.

mod batches;
mod expiry;
mod modifications;
mod operations;
mod streams;

//! Shared variables over the wire.

mod batches;
mod expiry;
mod operations;
mod streams;

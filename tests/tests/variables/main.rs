//! Shared variables over the wire.

mod batches;
mod operations;
mod streams;

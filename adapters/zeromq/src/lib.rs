//! ZeroMQ, for workers and any tokio program.
#![doc = include_str!("../README.md")]

mod codec;
mod connection;
mod core;
mod dialogue;
mod handshake;
mod heartbeat;
mod kind;
mod limits;
mod links;
mod message;
mod options;
mod peers;
mod pipeline;
mod queue;
mod requests;
mod socket;
mod stop;
mod topics;

pub use dialogue::{Dealer, Identity, Router};
pub use message::Message;
pub use options::Options;
pub use pipeline::{Pull, Push};
pub use requests::{Replier, Request, Requester};
pub use topics::{Publisher, Subscriber};
pub use workyard_adapter_kit::{
    Backoff, CallOptions, CallReport, ConnectionEvent, Error, ErrorKind, Observer, Result, State,
    Stats,
};

/// What errors, metrics and events call it.
pub(crate) const SERVICE: &str = "zeromq";

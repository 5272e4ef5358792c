//! What the end-to-end suites share: real daemons as child processes, and peers that speak to them.
//!
//! A suite is a dialogue: what a peer sends, and what must come back. Every wait is bounded by
//! [`PATIENCE`]; when a test fails, the log of its daemons is printed.

mod binary;
pub mod canary;
pub mod clients;
mod daemon;
pub mod differential;
pub mod linearizability;
mod log;
mod note;
mod patience;
mod peer;
mod procfs;
mod program;
pub mod raw;
mod relay;
mod service;
mod setup;
mod socket;
mod up;
pub mod words;
pub mod workerman;

pub use binary::binary;
pub use canary::Canary;
pub use daemon::{Daemon, Exit};
pub use log::Log;
pub use note::note;
pub use patience::{PATIENCE, eventually};
pub use peer::{Frame, Peer, Welcomed};
pub use procfs::raise_descriptor_limit;
pub use program::{Program, Running, built};
pub use relay::Relay;
pub use service::Service;
pub use setup::Setup;
pub use socket::Endpoint;
pub use up::Up;

pub use workyard_protocol::channel::ChannelWire;
pub use workyard_protocol::globaldata::GlobalDataWire;

/// A peer of channel-server.
pub type ChannelPeer = Peer<ChannelWire>;
/// A peer of globaldata-server.
pub type GlobalDataPeer = Peer<GlobalDataWire>;

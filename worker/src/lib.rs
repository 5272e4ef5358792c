//! Servers of several processes: a supervisor that only watches, and workers that serve connections.

mod activity;
mod address;
mod client;
mod commands;
mod connection;
pub mod embedded;
mod exit;
mod files;
mod handover;
pub mod http;
mod listener;
mod log;
mod messages;
mod orders;
mod outcome;
mod payload;
mod pid_file;
mod process;
mod protocol;
pub mod protocols;
mod proxies;
mod report;
mod scheme;
mod service;
mod settings;
mod socket;
mod stream;
mod supervisor;
mod task;
mod timer;
mod tls;
pub mod websocket;
mod wire;
mod worker;

pub use address::{Address, AddressError, Endpoint, Transport};
pub use client::{
    Backoff, Client, ClientBuilder, ClientScheme, Target, UdpClient, UdpClientBuilder,
};
pub use connection::{Connection, ConnectionError, ConnectionState, Pipe, Refused, Sent};
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

//! What a daemon goes by, resolved: every value with its default, none missing.

use crate::address::ListenAddress;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use workyard_protocol::limits::FRAME_BYTES_MAX;

/// A daemon's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Where to listen.
    pub listen: Vec<ListenAddress>,
    /// Connections at most; more are turned away with `TooManySessions`.
    pub sessions_max: usize,
    /// The longest frame accepted, in bytes.
    pub frame_bytes_max: usize,
    /// What may wait to be read by one connection, in bytes. Above it messages pass it by and jobs
    /// wait; at twice as much its own requests wait too.
    pub write_buffer_bytes_max: usize,
    /// The same for all connections together, what they share counted once.
    pub write_buffers_bytes_max: usize,
    /// What all connections together may hold of frames whose end is still to come, in bytes. Who
    /// would hold more then is disconnected with `Overloaded`.
    pub read_buffers_bytes_max: usize,
    /// What happens to a connection that is over its limit when a message comes for it.
    pub slow_consumer: SlowConsumer,
    /// How often either side must be heard. The silent are gone within twice as long.
    pub heartbeat: Duration,
    /// How long a new connection may take to complete the hello that it has begun.
    pub hello_timeout: Duration,
    /// How long a stop may take.
    pub drain_deadline: Duration,
    /// What is logged: a level, or directives as in `info,workyard_daemon=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// What happens to a subscriber that does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SlowConsumer {
    /// New messages pass it by; it is told how many, where they would have stood.
    DropNewest,
    /// It is disconnected with `SlowConsumer`.
    Disconnect,
}

/// The shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// The defaults, for these addresses.
    #[must_use]
    pub fn listening_on(listen: Vec<ListenAddress>) -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            listen,
            sessions_max: 100_000,
            frame_bytes_max: FRAME_BYTES_MAX,
            write_buffer_bytes_max: MIB,
            write_buffers_bytes_max: 1024 * MIB,
            read_buffers_bytes_max: 1024 * MIB,
            slow_consumer: SlowConsumer::DropNewest,
            heartbeat: Duration::from_secs(15),
            hello_timeout: Duration::from_secs(10),
            drain_deadline: Duration::from_secs(5),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }

    /// The heartbeat as it is announced.
    pub(crate) fn heartbeat_ms(&self) -> u32 {
        u32::try_from(self.heartbeat.as_millis()).unwrap_or(u32::MAX)
    }

    /// When clients of a server that stops should try again: spread, so that they do not all come
    /// at once.
    pub(crate) fn reconnect_after_ms(&self) -> u32 {
        fastrand::u32(50..500)
    }
}

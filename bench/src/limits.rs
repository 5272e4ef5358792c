//! Every bound of a measurement, each with its unit last.

use std::time::Duration;

/// How long a run may take beside the time that it measures, until everything is ended by force.
pub(crate) const RUN_SECONDS_MAX: Duration = Duration::from_secs(240);

/// How long building the daemons may take.
pub(crate) const BUILD_SECONDS_MAX: Duration = Duration::from_secs(30 * 60);

/// How long a server may take from its start until it accepts.
pub(crate) const READY_SECONDS_MAX: Duration = Duration::from_secs(10);

/// How long strace may take to get hold of a server.
pub(crate) const TRACE_SECONDS_MAX: Duration = Duration::from_secs(5);

/// How long a server may take to end by itself, until it is killed.
pub(crate) const END_SECONDS_MAX: Duration = Duration::from_secs(5);

/// How long all connections of a run together may take, and then all welcomes.
pub(crate) const OPEN_SECONDS_MAX: Duration = Duration::from_secs(60);

/// How long subscribers may stay silent at the start.
pub(crate) const PROBE_SECONDS_MAX: Duration = Duration::from_secs(60);

/// How long a server may be busy with connections that do nothing.
pub(crate) const SETTLE_SECONDS_MAX: Duration = Duration::from_secs(20);

/// How long nothing may happen before a run gives up on what is still missing.
pub(crate) const STALL_SECONDS_MAX: Duration = Duration::from_secs(2);

/// How much may be under way to one subscriber at saturation, and with [`WINDOW_DELIVERIES_MAX`] to
/// all: enough to keep a server busy, little enough that no peer's send buffer overflows.
pub(crate) const WINDOW_BYTES_MAX: usize = 256 * 1024;

/// See [`WINDOW_BYTES_MAX`].
pub(crate) const WINDOW_DELIVERIES_MAX: usize = 100_000;

/// What subscribers that never read are sent until they are measured: more than the kernel's buffers of
/// both sides and a server's bound together, whose defaults are 4 MiB, a part of 6 MiB, and 1 MiB.
pub(crate) const STALLED_BYTES: usize = 12 * 1024 * 1024;

/// The same when it only has to work.
pub(crate) const STALLED_QUICK_BYTES: usize = 256 * 1024;

/// Connections that a peer is told to allow where its default is too low.
pub(crate) const PEER_CONNECTIONS_MAX: usize = 12_000;

/// Descriptors that a row needs beside its connections.
pub(crate) const SPARE_DESCRIPTORS_MAX: u64 = 200;

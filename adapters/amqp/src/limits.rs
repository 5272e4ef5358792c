//! What nobody is expected to change.

use std::time::Duration;

/// Most things that are declared again with each connection.
pub(crate) const DECLARATIONS_MAX: usize = 10_000;

/// Most exchanges with a channel of their own to publish on; the rest share one.
pub(crate) const PUBLISHING_CHANNELS_MAX: usize = 64;

/// Most mandatory publishes of a connection under way, each on a channel of its own.
pub(crate) const MANDATORY_CHANNELS_MAX: usize = 64;

/// Most bytes of publishes that wait to be written to a connection; one that is larger waits alone.
pub(crate) const UNWRITTEN_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// What a publish counts as besides its body.
pub(crate) const UNWRITTEN_OVERHEAD: u32 = 1024;

/// How long a server may take to agree to the end of a connection.
pub(crate) const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// How often it is looked whether a connection is still there, should the driver not tell.
pub(crate) const LOOK_PERIOD: Duration = Duration::from_millis(500);

/// How long a new connection waits for queues that another still has, before it goes on without them for now.
pub(crate) const RESTORE_PATIENCE: Duration = Duration::from_secs(1);

/// How many heartbeats it takes a server, at the latest, to see that a connection is gone.
pub(crate) const HEARTBEATS_TO_LOSE: u32 = 3;

/// The heartbeat that is reckoned with where none is wanted.
pub(crate) const HEARTBEAT_OF_SERVERS: Duration = Duration::from_secs(60);

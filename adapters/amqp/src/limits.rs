//! What nobody is expected to change.

use std::time::Duration;

/// Most things that are declared again with each connection.
pub(crate) const DECLARATIONS_MAX: usize = 10_000;

/// Most exchanges with a channel of their own to publish on; the rest share one.
pub(crate) const PUBLISHING_CHANNELS_MAX: usize = 64;

/// How long a server may take to agree to the end of a connection.
pub(crate) const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// How often it is looked whether a connection is still there, should the driver not tell.
pub(crate) const LOOK_PERIOD: Duration = Duration::from_millis(500);

//! Every bound of this client beyond those of its connections, each with its unit last.

use std::time::Duration;

/// How often [`update`](crate::GlobalDataClient::update) tries before it gives up.
pub const UPDATE_ATTEMPTS_MAX: u32 = 64;

/// The longest wait before the second attempt of an update; it doubles with every further one.
pub const UPDATE_WAIT_FIRST: Duration = Duration::from_micros(500);

/// The longest wait between two attempts of an update.
pub const UPDATE_WAIT_MAX: Duration = Duration::from_millis(50);

/// How long a lock outlives a process that does not renew it any more, unless told otherwise.
pub const LOCK_TTL: Duration = Duration::from_secs(30);

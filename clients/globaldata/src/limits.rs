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

/// Most events that a watcher keeps for a receiver that is slow to take them, unless told otherwise.
pub const WATCH_EVENTS_MAX: usize = 8192;

/// Most bytes of events that a watcher keeps, unless told otherwise.
pub const WATCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most variables that a cache watches, unless told otherwise.
pub const CACHED_VARIABLES_MAX: usize = 10_000;

/// Largest value that a cache keeps, in bytes, unless told otherwise.
pub const CACHED_VALUE_BYTES_MAX: usize = 64 * 1024;

/// Most changes of a cached variable that wait for its next read. It is asked for again after more.
pub const CACHED_EVENTS_MAX: usize = 8;

/// How long a cache watches nothing more after a server has refused to have more watched.
pub const CACHE_PAUSE: Duration = Duration::from_secs(1);

//! What may grow, and how far unless an option says otherwise.

use std::time::Duration;

/// How long addresses of one version wait for those of the other, as RFC 8305 recommends (section 3).
pub(crate) const OTHER_VERSION_GRACE: Duration = Duration::from_millis(50);
/// Answers that are kept, as with the original.
pub(crate) const CACHE_ENTRIES_MAX: usize = 256;
/// Questions under way.
pub(crate) const CALLS_MAX: usize = 256;
/// Name servers.
pub(crate) const SERVERS_MAX: usize = 16;
/// Longest hosts file.
pub(crate) const HOSTS_BYTES_MAX: u64 = 16 << 20;

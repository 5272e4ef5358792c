//! Everything that is bounded without an option, in one place.

use std::time::Duration;

/// What a request has around each argument: its length and two ends of lines, at most.
pub(crate) const REQUEST_OVERHEAD_BYTES: usize = 16;
/// Most servers that a URL may name.
pub(crate) const HOSTS_MAX: usize = 64;
/// How long a connection is silent before the system asks whether the peer is still there.
pub(crate) const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// How often it asks, before it gives the connection up.
pub(crate) const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
/// What was given up later than this had been sent by then.
pub(crate) const SENT_AFTER: Duration = Duration::from_millis(1);
/// How often a subscription asks whether the server is still there.
pub(crate) const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// Most attempts of a transaction whose keys others change.
pub(crate) const TRANSACTION_ATTEMPTS_MAX: u32 = 16;
/// How often a popped element whose caller has gone is tried to be given back.
pub(crate) const GIVE_BACK_ATTEMPTS_MAX: u32 = 5;
/// Most redirections that one request follows in a cluster.
pub(crate) const REDIRECTS_MAX: u32 = 5;
/// Most delayed jobs that are moved by one script, as in the original.
pub(crate) const DUE_JOBS_MAX: u64 = 128;

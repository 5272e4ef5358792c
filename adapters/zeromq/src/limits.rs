//! What the protocol is bounded by, where no option says it.

use std::time::Duration;

/// Most endpoints of one socket.
pub(crate) const ENDPOINTS_MAX: usize = 256;
/// Longest identity, as the protocol has it.
pub(crate) const IDENTITY_BYTES_MAX: usize = 255;
/// Longest command of a peer: greetings name a socket and an identity.
pub(crate) const COMMAND_BYTES_MAX: usize = 4096;
/// Longest prefix of a subscription.
pub(crate) const PREFIX_BYTES_MAX: usize = 4096;
/// Most subscriptions of a socket, and of a peer.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 10_000;
/// How many connections may end in the midst of one message: after so many it is given up.
pub(crate) const CUTS_MAX: u32 = 3;
/// After how long without a word the system asks a peer for a sign of life, how often then, and how many times.
pub(crate) const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);
pub(crate) const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
pub(crate) const KEEPALIVES_MAX: u32 = 3;
/// How long a peer is listened to after the last word.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

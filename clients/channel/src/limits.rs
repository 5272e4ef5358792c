//! Every bound of this client beyond those of its connection, each with its unit last.

/// Most messages that a subscription keeps for a receiver that is slow to take them, unless
/// configured otherwise.
pub const SUBSCRIPTION_MESSAGES_MAX: usize = 8192;

/// Most bytes of messages that a subscription keeps, unless configured otherwise.
pub const SUBSCRIPTION_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most changes of presence that are kept for a follower which is slow to take them. It is told the
/// difference then.
pub const PRESENCE_EVENTS_MAX: usize = 1024;

//! The store's bounds as flags, environment and `[limits]` of the file.

use workyard_globaldata_core::StoreLimits;

workyard_daemon::overrides! {
    /// The store's bounds, each of which may be missing.
    pub struct Limits overrides StoreLimits {
        /// Variables at most
        keys_max: u32 = "COUNT",
        /// Bytes of keys and values at most, with 64 bytes for each variable and 48 for each ttl
        store_bytes_max: u64 = "BYTES",
        /// Locks in use at most, held or waited for
        locks_max: u32 = "COUNT",
        /// Holders and waiters of all locks at most, all connections together
        lock_claims_max: usize = "COUNT",
        /// Holders and waiters of all locks at most, of one connection
        lock_claims_per_session_max: usize = "COUNT",
        /// Bytes of a list, set or map that is changed, or a value that is appended to, at most
        modify_bytes_max: usize = "BYTES",
        /// Bytes that the modifications of one batch read and make together at most
        batch_modify_bytes_max: usize = "BYTES",
        /// Keys and prefixes that one connection watches at most
        session_watches_max: u32 = "COUNT",
        /// Keys and prefixes that all connections watch at most
        watches_max: u32 = "COUNT",
        /// Bytes that these take at most of one connection: names twice, with 320 bytes for each
        session_watch_bytes_max: usize = "BYTES",
        /// Bytes that these take at most of all connections
        watch_bytes_max: usize = "BYTES",
        /// Changes kept at most for clients that watch and come back or are slow
        watch_log_changes_max: usize = "COUNT",
        /// Bytes that these changes take at most
        watch_log_bytes_max: usize = "BYTES",
        /// Milliseconds that they are kept when nothing is watched any more
        watch_log_linger_ms: u64 = "MILLISECONDS",
    }
}

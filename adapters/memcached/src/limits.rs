//! What the protocol and its answers are bounded by, where no option says it.

/// Longest key, as every server has it.
pub(crate) const KEY_BYTES_MAX: usize = 250;
/// Longest line that is not a value. The longest that servers write name a key and three numbers.
pub(crate) const LINE_BYTES_MAX: usize = 2048;
/// Most keys that one `get_many` asks for.
pub(crate) const KEYS_MAX: usize = 10_000;
/// Most keys that stand in one line; a `get_many` sends as many lines as it needs.
pub(crate) const KEYS_PER_LINE_MAX: usize = 100;
/// Most lines of an answer to `stats`.
pub(crate) const STATS_MAX: usize = 10_000;
/// Most servers of one handle.
pub(crate) const SERVERS_MAX: usize = 1_000;
/// Longest user or password.
pub(crate) const CREDENTIAL_BYTES_MAX: usize = 255;

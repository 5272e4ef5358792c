//! Every bound of the crate, each with its unit last.

/// Most arrays and objects that may stand inside each other, as PHP's `unserialize_max_depth`.
///
/// An empty array takes no level: nothing is inside it.
pub const DEPTH_MAX: usize = 4096;

/// Longest text that is read: positions are kept in 31 bits, and what is spelled anew may be longer.
pub const TEXT_BYTES_MAX: usize = 1 << 30;

/// Most levels that are read into a Rust type, which takes stack for each; serde_json has the same.
pub const TYPED_DEPTH_MAX: usize = 128;

/// Most bytes that references make a typed reader read again.
pub const REPEATED_BYTES_MAX: usize = 4 * 1024 * 1024;

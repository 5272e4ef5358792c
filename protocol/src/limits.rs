//! Every bound of the wire, each with its unit last.

/// Longest frame that a server accepts unless it is configured otherwise, its length included.
pub const FRAME_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A frame to a client may be longer than the server's own limit by this much: the header of a push
/// names more than the request did.
pub const FRAME_SLACK_BYTES: usize = 16 * 1024;

/// Longest frame before the hello is done.
pub const HELLO_BYTES_MAX: usize = 16 * 1024;

/// Longest header of an operation, without its payload.
pub const HEADER_BYTES_MAX: usize = 1024 * 1024;

/// Longest channel, queue or group name, key and pattern.
pub const NAME_BYTES_MAX: usize = 4096;

/// Most tokens of a pattern.
pub const PATTERN_TOKENS_MAX: usize = 32;

/// Most items in one list: subscriptions, channels, keys, steps of a batch.
pub const LIST_ITEMS_MAX: usize = 16_384;

/// Most entries in a page of keys or queues.
pub const PAGE_ITEMS_MAX: u32 = 1000;

/// Longest lifetime of a variable, in milliseconds: ten years of 365 days.
pub const TTL_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

/// Longest identity that a member of a channel is told by.
pub const IDENTITY_BYTES_MAX: usize = 1024;

/// Longest time to wait for the answer to a question, in milliseconds: an hour. What takes longer is a job.
pub const QUESTION_MS_MAX: u32 = 60 * 60 * 1000;

/// Most jobs that one consumer may hold unacknowledged.
pub const PREFETCH_JOBS_MAX: u32 = 65_535;

/// Longest delay of a job, and longest window of deduplication, in milliseconds: ten years of 365 days.
pub const DELAY_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

/// Longest id that a publisher gives a job of its own.
pub const PUBLISHER_ID_BYTES_MAX: usize = 256;

/// Longest reason for giving a job back.
pub const NACK_REASON_BYTES_MAX: usize = 1024;

/// Most jobs that one `redrive` moves.
pub const REDRIVE_JOBS_MAX: u32 = 10_000;

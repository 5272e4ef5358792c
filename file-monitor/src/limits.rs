//! Everything here that could grow without end, and where it ends.

use std::time::Duration;

/// Files that are followed at most, unless set otherwise.
pub const FILES_MAX: usize = 1_000_000;

/// Up to this size, in bytes, the content of a file is compared; beyond it size and times decide.
pub const DIGEST_BYTES_MAX: u64 = 1024 * 1024;

/// How deep below a root directories are entered.
pub const DEPTH_MAX: usize = 128;

/// Paths that may wait to be looked at. Of more, everything is looked at.
pub const SUSPECTS_MAX: usize = 65_536;

/// The longest `.gitignore` or `.ignore` that is read, in bytes.
pub const RULES_BYTES_MAX: u64 = 1024 * 1024;

/// Symbolic links that are looked through, when links are followed.
pub const LINKS_MAX: usize = 10_000;

/// The longest time that may be set for anything.
pub const TIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// Files whose content is read in one go, while nothing else is to be done.
pub(crate) const DIGESTS_AT_ONCE: usize = 64;

/// The longest wait after failed actions.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// The least wait before what was not settled is looked at again.
pub(crate) const RETRY_WAIT: Duration = Duration::from_millis(10);

/// Events of the kernel that are taken in one go, about.
pub(crate) const EVENTS_AT_ONCE: usize = 4096;

/// How often so many are taken before it is said that nothing more has happened: more than the
/// kernel's queue holds.
pub(crate) const EVENT_TURNS: usize = 16;

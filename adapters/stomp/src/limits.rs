//! What nobody is expected to change.

use std::time::Duration;

/// Most bytes that wait for the socket before no more requests are taken.
pub(crate) const UNWRITTEN_BYTES_MAX: usize = 256 << 10;

/// Most requests that are taken from callers before the socket is looked at again.
pub(crate) const BATCH_MAX: usize = 256;

/// Most requests between callers and the connection; more wait in their callers.
pub(crate) const REQUESTS_MAX: usize = 1024;

/// So many receipts may be awaited, beyond twice those that somebody still waits for, before those that
/// nobody waits for are forgotten.
pub(crate) const FORGOTTEN_RECEIPTS_MAX: usize = 1024;

/// How long answers to other requests are still read after the server has complained.
pub(crate) const LAST_WORDS_MAX: Duration = Duration::from_millis(250);

/// How long a server may take to answer `DISCONNECT`.
pub(crate) const GOODBYE_MAX: Duration = Duration::from_secs(2);

//! Tells what has changed in directories: once for each real change, when it has settled.
//!
//! What the kernel tells are hints; the disk is the truth. A path that is hinted at is compared with
//! what it was, and only what differs is a change. So a touch, a save of the same content or a file
//! that comes and goes are none; and when hints are lost, everything is compared and nothing is lost.

mod change;
mod core;
#[cfg(feature = "daemon")]
pub mod daemon;
mod debounce;
mod disk;
mod filter;
mod fingerprint;
pub mod limits;
mod monitor;
mod notice;
mod snapshot;
mod source;

pub use change::{Change, ChangeKind, ChangeSet};
pub use filter::PatternError;
pub use monitor::{Monitor, MonitorBuilder};
pub use notice::Notice;
pub use source::StartError;

//! The store: shared variables with revisions as a pure state machine.
//!
//! [`Store`] is the whole of it: requests come in through [`Engine::handle`], answers go out through
//! the outbox, and [`Store::update`] is the one way in which a variable ever changes, but that it is
//! freed when its time is over. Locks stand beside the variables, with names of their own. There is no clock, no socket and no thread in here; commands are atomic because they come one at a time.
//!
//! [`Engine::handle`]: workyard_engine::Engine::handle

mod arena;
mod batch;
mod containers;
mod count;
mod deadlines;
mod entries;
mod entry;
mod expire;
mod increment;
mod index;
mod journal;
mod keys;
mod limits;
mod locks;
mod look;
mod modify;
mod page;
mod read;
mod scan;
mod store;
mod table;
mod text;
mod touch;
mod update;
mod watch;
mod write;

pub use limits::{ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES, StoreLimits, WATCH_OVERHEAD_BYTES};
pub use store::{Census, LockCensus, Store};
pub use update::{Change, Updated};

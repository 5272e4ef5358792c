//! Servers and clients on a simulated network, in simulated time, replayed by a seed.
//!
//! The cores are real, and so are the frames and the clients with everything that they do by
//! themselves: heartbeat, reconnect, restoring. What lies between is simulated: connections are late,
//! slow, silent or cut, the server dies and starts again with nothing. All chance comes from one seed,
//! everything runs on one thread, and time is advanced when nobody has anything to do; so a run can be
//! repeated event by event.
//!
//! Observers that know nothing of the cores look at what is said at the server's door and at what the
//! programs are told by their clients, and report the first thing that must not be.

mod channel;
mod delivery;
mod findings;
mod history;
mod line;
mod monitor;
mod network;
mod peer;
mod program;
mod run;
mod seeds;
mod server;
mod slow;
mod socket;
mod store;
mod talk;
mod trace;
mod work;
mod world;

pub use channel::{channel, channel_with};
pub use history::history;
pub use run::{Counted, Plan, Run};
pub use seeds::{Failure, run_all, whole};
pub use slow::slow;
pub use store::{store, store_with};
pub use talk::{talk, talk_with};
pub use work::work;

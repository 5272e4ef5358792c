//! The Workerman wire by hand, and what was recorded of it, played against a server.

mod bytes;
mod case;
mod connection;
mod failure;
mod increments;
mod player;
mod requests;
mod run;
mod summary;
mod values;
mod witness;

pub use bytes::{Hex, shown};
pub use case::{Case, Side, Step, Turn, Wire, records};
pub use connection::Connection;
pub use failure::Failure;
pub use increments::play_increments;
pub use player::{Pace, play};
pub use requests::{
    BAD_REQUEST, FALSE, NULL, TRUE, array, cas, channel, frame, integer, key, pushed, reserve, text,
};
pub use run::play_all;
pub use summary::{Outcome, Summary};
pub use values::{play_data, play_values};
pub use witness::Witness;

//! A process that serves one engine: configuration, listeners, sessions, delivery, drain.
//!
//! It knows no operation. What the bytes mean is a [`Dialect`]'s business, what a request does the
//! engine's; a server crate names both by implementing [`Service`]. All of the data path runs on one
//! thread, without locks: a session reads what there is, has the engine handle all of it, and at the
//! end of the turn every connection that has something to say is written once.

mod address;
mod config;
mod delivery;
mod driver;
mod either;
mod exit;
mod inbox;
mod life;
mod listener;
mod log;
mod native;
mod outgoing;
mod overrides;
mod peer;
mod process;
mod server;
mod service;
mod session;
mod settings;
mod stream;
mod sweep;
mod turn;
mod untold;

pub use address::{AddressError, ListenAddress};
pub use config::{Size, Span};
pub use either::Either;
pub use exit::ExitStatus;
pub use native::Native;
pub use overrides::Overrides;
pub use process::{die_of_panics, main};
pub use server::{Running, Server, StartError};
pub use service::{
    Decoded, Dialect, Ending, Facts, Greeting, Listener, Push, Recognition, Reply, Request, Service,
};
pub use settings::{LogFormat, Settings, SlowConsumer};
pub use untold::{Untold, UntoldLosses};

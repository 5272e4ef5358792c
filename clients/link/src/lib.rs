//! One connection that heals itself: what the clients of both daemons share.
//!
//! A [`Link`] is a cheap handle; one task behind it owns the connection. The task connects, says
//! hello, keeps the heartbeat, connects again when the connection is lost, and ties every reply to
//! its request. What a service adds (what to restore on a new connection, what to do with pushes) is
//! a [`Session`], a state machine that the task owns and that does no I/O of its own.
//!
//! What a caller can rely on:
//!
//! * A request that times out, or whose future is dropped, never receives the answer of another one
//!   and never causes another one to receive its own: its id stays taken until its reply came or the
//!   connection is gone.
//! * A request in flight when the connection dies fails with [`Error::Disconnected`]: whether it was
//!   carried out is not known. One that was never sent waits for the next connection, as long as its
//!   call timeout allows.
//! * Whatever can grow has a bound (see [`limits`]); a full command queue makes callers wait.
//! * A peer that has fallen silent is found within two heartbeat intervals.

mod address;
mod alarm;
mod backoff;
mod command;
mod connect;
mod connection;
mod connector;
mod deadline;
mod error;
mod event;
mod heartbeat;
mod in_flight;
mod inbox;
mod incoming;
pub mod limits;
mod link;
mod mailbox;
mod options;
mod outgoing;
mod pages;
mod pings;
mod received;
mod session;
mod state;
mod task;
mod transport;

pub use address::{Address, AddressError};
pub use backoff::Backoff;
pub use connector::Connector;
pub use error::{DisconnectReason, Error, ErrorKind};
pub use event::{Event, Events, GapCause};
pub use link::Link;
pub use mailbox::{Items, Mailbox, Offered};
pub use options::Options;
pub use pages::{Pages, listing, pages};
pub use received::{Received, Unread};
pub use session::{Outbox, Outgoing, Session, Stateless};
pub use state::Server;

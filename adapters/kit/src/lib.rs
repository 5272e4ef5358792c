//! What all adapters share: where a service is, how calls to it are made, and what can go wrong.
//!
//! An adapter wraps a driver. This crate has what every one of them adds:
//!
//! * [`ServiceUrl`] reads a URL and refuses what it does not know; [`CallOptions`] and [`Tls`] are what
//!   adapters have in common in a file.
//! * [`Guard`] makes calls: a bound on those under way and on those that wait, a timeout, attempts again
//!   where that is safe, a circuit breaker, a count of everything, an event per call.
//! * [`Error`] is the same for every service, with a [kind](ErrorKind), the server's code, and whether the
//!   request may have been carried out.
//! * [`Status`] tells how a connection that heals itself is.
//!
//! Nothing here knows a service, and nothing here needs the worker runtime: adapters work in any tokio
//! program.

mod backoff;
mod breaker;
mod budget;
mod call;
pub mod duration;
mod error;
mod guard;
mod observer;
mod options;
mod places;
mod service_url;
mod stats;
mod status;
mod tls;

pub use backoff::{Backoff, Waits};
pub use breaker::BreakerOptions;
pub use budget::RetryBudget;
pub use call::{Call, Repeat};
pub use error::{Error, ErrorKind};
pub use guard::{Guard, Kept};
pub use observer::{CallReport, Cancelled, ConnectionEvent, Observer};
pub use options::{CallOptions, RetryOptions};
pub use service_url::{ServiceUrl, redacted};
pub use stats::Stats;
pub use status::{State, Status};
pub use tls::{Pem, Tls};

/// What calls come to.
pub type Result<T, E = Error> = std::result::Result<T, E>;

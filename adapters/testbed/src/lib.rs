//! Real servers for the tests of the adapters, and what stands between them and their clients.
//!
//! A server runs on ports of 127.0.0.1 that are its own, with its data in a private folder. It ends
//! when it is dropped, and also when the process of the tests ends, however that comes about; its
//! folder goes with it. Nothing here returns an error: what cannot be done fails the test, with what
//! the server has printed.
//!
//! ```no_run
//! # use workyard_testbed::{Process, Program, Ready, Relay};
//! # async fn example() {
//! let mut server = Process::start(1, |place| {
//!     Program::new("redis-server")
//!         .arguments(["--bind", "127.0.0.1", "--save", "", "--port"])
//!         .argument(place.port(0).to_string())
//!         .ready(Ready::Listens(place.address(0)))
//! })
//! .await;
//! let relay = Relay::to(server.place().address(0)).await;
//! // ... connect to `relay.address()`
//! relay.stall();
//! server.kill().await;
//! server.start_again().await;
//! # }
//! ```
//!
//! A [`Service`] is an example of the adapter's own crate, whose workers are asked by HTTP.

mod authority;
mod folder;
mod keeper;
mod patience;
mod place;
mod port;
mod process;
mod program;
mod ready;
mod relay;
mod service;

pub use authority::{Authority, Identity};
pub use patience::{PATIENCE, eventually, eventually_blocking};
pub use place::Place;
pub use port::Port;
pub use process::Process;
pub use program::{Program, is_root};
pub use ready::Ready;
pub use relay::Relay;
pub use service::{Answer, Service};

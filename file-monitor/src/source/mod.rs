//! The real file system, and the thread that listens to it.

mod engine;
mod inotify;
mod local;
mod mounts;
mod orders;
mod roots;

pub(crate) use engine::{Engine, Settings};
pub(crate) use orders::{Answer, Order, Orders};
pub use roots::StartError;
#[cfg(feature = "daemon")]
pub(crate) use roots::resolve;

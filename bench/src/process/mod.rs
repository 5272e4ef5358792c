//! The processes that a measurement needs: started, pinned, and ended without exception.

mod binaries;
mod children;
mod guard;
mod launch;
mod machine;
mod pin;
mod programs;
mod server;

pub(crate) use binaries::build_missing;
pub(crate) use children::Children;
pub(crate) use guard::Guard;
pub(crate) use launch::is_installed;
pub(crate) use machine::{describe, raise_descriptor_limit};
pub(crate) use pin::Pinning;
pub(crate) use server::{Server, Starter};

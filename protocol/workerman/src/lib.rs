//! The wires of workerman/channel and workerman/globaldata: bytes to requests, answers to bytes.
//!
//! Both have the frame of the native wire, with a PHP-serialized array in it. Here is what PHP's
//! values and names are to everybody else, and what PHP does where a request is none that its own
//! clients would send. No I/O, no clock.

mod container;
mod fields;
mod json;
mod name;
mod number;
mod template;

pub mod channel;
pub mod globaldata;
pub mod value;

pub use name::{Name, Spelling};
pub use value::Payload;

//! The native wire of Workyard: bytes to values and back, without I/O, clock or runtime.
//!
//! `docs/protocol.md` is the normative description; `protocol/vectors` has the same as bytes.
//! Everything decoded borrows from the input, so that a payload is copied by whoever keeps it and
//! by nobody else.

pub mod channel;
pub mod container;
pub mod control;
mod delay;
mod envelope;
pub mod frame;
pub mod globaldata;
pub mod limits;
mod name;
pub mod pattern;
mod reason;
mod ttl;
mod typed;
mod value;
mod wire;

pub use delay::{Delay, DelayError};
pub use envelope::{
    Message, NO_REPLY, RequestHead, RequestId, ToClient, ToServer, Wire, encode_push, encode_reply,
};
pub use name::{ChannelName, FieldName, GroupName, Key, LockName, NameError, QueueName};
pub use pattern::{Pattern, PatternError, Token};
pub use reason::{Reason, Refusal};
pub use ttl::{Ttl, TtlError};
pub use typed::{TypedError, from_value, to_value};
pub use value::{Encoding, Number, UnknownEncoding, Value, ValueRef, ValueTag};
pub use wire::DecodeError;

//! `unsubscribe`: the session no longer wants some of what it subscribed to.

use super::Interest;
use super::subscribe::{decode_interests, put_interests};
use crate::wire::DecodeError;

pub(super) const CODE: u8 = 0x11;

/// Ends every interest listed, as it was subscribed to, its group included; answered by `Done`.
///
/// Once answered, no message follows for these interests. One that the session does not have is
/// passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// What is no longer wanted.
    pub interests: Vec<Interest<'a>>,
}

impl<'a> Unsubscribe<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_interests(&self.interests, out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { interests: decode_interests(body, "unsubscribe")? })
    }
}

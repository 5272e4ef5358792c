//! What a write says of the time that its variable has.

use crate::Ttl;
use crate::wire::DecodeError;
use bincode::{Decode, Encode};

/// When a variable that is written expires. It is never readable from that instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Never, whatever it was before.
    Never,
    /// When it would have without this write; never if the write created it.
    Keep,
    /// This long after the write.
    After(Ttl),
    /// This long after the write if that created it, else when it would have without the write.
    AfterIfNew(Ttl),
}

/// The same in a header, where a lifetime is any number.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub(super) enum ExpiryHeader {
    Never,
    Keep,
    After(u64),
    AfterIfNew(u64),
}

impl Expiry {
    pub(super) fn header(self) -> ExpiryHeader {
        match self {
            Self::Never => ExpiryHeader::Never,
            Self::Keep => ExpiryHeader::Keep,
            Self::After(ttl) => ExpiryHeader::After(ttl.as_millis()),
            Self::AfterIfNew(ttl) => ExpiryHeader::AfterIfNew(ttl.as_millis()),
        }
    }
}

impl ExpiryHeader {
    pub(super) fn decode(self) -> Result<Expiry, DecodeError> {
        Ok(match self {
            Self::Never => Expiry::Never,
            Self::Keep => Expiry::Keep,
            Self::After(millis) => Expiry::After(Ttl::from_millis(millis)?),
            Self::AfterIfNew(millis) => Expiry::AfterIfNew(Ttl::from_millis(millis)?),
        })
    }
}

//! `renew_locks`: says that locks are still needed.

use crate::wire::{self, DecodeError, List};
use crate::{LockName, Ttl};

pub(super) const CODE: u8 = 0x44;

/// Lets the leases of locks that this session holds begin anew; answered by `Renewed` with those that
/// it does not have any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewLocks<'a> {
    /// Which locks.
    pub renewals: Vec<Renewal<'a>>,
}

/// One lock that is still needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal<'a> {
    /// What is locked.
    pub name: LockName<'a>,
    /// The number that it is held with.
    pub token: u64,
    /// How long it is held from now on.
    pub ttl: Ttl,
}

type Header<'a> = (&'a [u8], u64, u64);

impl<'a> RenewLocks<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, List(self.renewals.iter().map(Renewal::header).collect()));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let List(headers): List<Header<'a>> = wire::take_all(body, "renew_locks")?;
        Ok(Self { renewals: headers.into_iter().map(Renewal::of).collect::<Result<_, _>>()? })
    }
}

impl<'a> Renewal<'a> {
    fn header(&self) -> Header<'a> {
        (self.name.as_bytes(), self.token, self.ttl.as_millis())
    }

    fn of((name, token, millis): Header<'a>) -> Result<Self, DecodeError> {
        Ok(Self { name: LockName::new(name)?, token, ttl: Ttl::from_millis(millis)? })
    }
}

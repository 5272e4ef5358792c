//! The words of globaldata-server: what clients ask, what it answers, and what it sends unasked.

mod batch;
mod count;
mod delete;
mod entries;
mod exists;
mod expect;
mod expiry;
mod get;
mod get_many;
mod increment;
mod keys;
mod lock;
mod locks;
mod look;
mod modification;
mod modify;
mod pushes;
mod renew_locks;
mod replies;
mod touch;
mod unlock;
mod watch;
mod write;

pub use batch::{Batch, BatchReply, Step, StepResult};
pub use count::Count;
pub use delete::Delete;
pub use entries::Entries;
pub use exists::{Existence, Exists};
pub use expect::Expect;
pub use expiry::Expiry;
pub use get::{Entry, Get};
pub use get_many::GetMany;
pub use increment::Increment;
pub use keys::{KeyInfo, Keys};
pub use lock::{Lock, LockReply};
pub use locks::{LockInfo, Locks};
pub use look::{Found, Look, Looked, Question};
pub use modification::{AddWithin, End, Modification, PushItems};
pub use modify::{Modified, Modify, Outcome};
pub use pushes::{Change, Push};
pub use renew_locks::{RenewLocks, Renewal};
pub use replies::Reply;
pub use touch::Touch;
pub use unlock::Unlock;
pub use watch::{Unwatch, Watch, WatchTopic, Watching};
pub use write::{Write, Written};

use crate::envelope::{self, Message, Wire};
use crate::wire::DecodeError;

/// The vocabularies of globaldata-server.
#[derive(Clone, Copy, Debug)]
pub struct GlobalDataWire;

impl Wire for GlobalDataWire {
    type Request<'a> = Request<'a>;
    type Reply<'a> = Reply<'a>;
    type Push<'a> = Push<'a>;
}

/// What clients ask of globaldata-server.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each operation is described at its own type")]
pub enum Request<'a> {
    Get(Get<'a>),
    GetMany(GetMany<'a>),
    Write(Write<'a>),
    Increment(Increment<'a>),
    Delete(Delete<'a>),
    Exists(Exists<'a>),
    Batch(Batch<'a>),
    Keys(Keys<'a>),
    Touch(Touch<'a>),
    Modify(Modify<'a>),
    Lock(Lock<'a>),
    Unlock(Unlock<'a>),
    RenewLocks(RenewLocks<'a>),
    Locks(Locks<'a>),
    Look(Look<'a>),
    Watch(Watch<'a>),
    Unwatch(Unwatch<'a>),
    Count(Count<'a>),
    Entries(Entries<'a>),
}

impl<'a> Message<'a> for Request<'a> {
    fn operation(&self) -> u8 {
        match self {
            Self::Get(_) => get::CODE,
            Self::GetMany(_) => get_many::CODE,
            Self::Write(_) => write::CODE,
            Self::Increment(_) => increment::CODE,
            Self::Delete(_) => delete::CODE,
            Self::Exists(_) => exists::CODE,
            Self::Batch(_) => batch::CODE,
            Self::Keys(_) => keys::CODE,
            Self::Touch(_) => touch::CODE,
            Self::Modify(_) => modify::CODE,
            Self::Lock(_) => lock::CODE,
            Self::Unlock(_) => unlock::CODE,
            Self::RenewLocks(_) => renew_locks::CODE,
            Self::Locks(_) => locks::CODE,
            Self::Look(_) => look::CODE,
            Self::Watch(_) => watch::WATCH,
            Self::Unwatch(_) => watch::UNWATCH,
            Self::Count(_) => count::CODE,
            Self::Entries(_) => entries::CODE,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Get(request) => request.put(out),
            Self::GetMany(request) => request.put(out),
            Self::Write(request) => request.put(out),
            Self::Increment(request) => request.put(out),
            Self::Delete(request) => request.put(out),
            Self::Exists(request) => request.put(out),
            Self::Batch(request) => request.put(out),
            Self::Keys(request) => request.put(out),
            Self::Touch(request) => request.put(out),
            Self::Modify(request) => request.put(out),
            Self::Lock(request) => request.put(out),
            Self::Unlock(request) => request.put(out),
            Self::RenewLocks(request) => request.put(out),
            Self::Locks(request) => request.put(out),
            Self::Look(request) => request.put(out),
            Self::Watch(request) => request.put(out),
            Self::Unwatch(request) => request.put(out),
            Self::Count(request) => request.put(out),
            Self::Entries(request) => request.put(out),
        }
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(match operation {
            get::CODE => Self::Get(Get::decode(body)?),
            get_many::CODE => Self::GetMany(GetMany::decode(body)?),
            write::CODE => Self::Write(Write::decode(body)?),
            increment::CODE => Self::Increment(Increment::decode(body)?),
            delete::CODE => Self::Delete(Delete::decode(body)?),
            exists::CODE => Self::Exists(Exists::decode(body)?),
            batch::CODE => Self::Batch(Batch::decode(body)?),
            keys::CODE => Self::Keys(Keys::decode(body)?),
            touch::CODE => Self::Touch(Touch::decode(body)?),
            modify::CODE => Self::Modify(Modify::decode(body)?),
            lock::CODE => Self::Lock(Lock::decode(body)?),
            unlock::CODE => Self::Unlock(Unlock::decode(body)?),
            renew_locks::CODE => Self::RenewLocks(RenewLocks::decode(body)?),
            locks::CODE => Self::Locks(Locks::decode(body)?),
            look::CODE => Self::Look(Look::decode(body)?),
            watch::WATCH => Self::Watch(Watch::decode(body)?),
            watch::UNWATCH => Self::Unwatch(Unwatch::decode(body)?),
            count::CODE => Self::Count(Count::decode(body)?),
            entries::CODE => Self::Entries(Entries::decode(body)?),
            unknown => return Err(envelope::unknown_operation(unknown)),
        })
    }
}

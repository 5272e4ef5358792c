//! The store as an engine: one request in, one answer out.

use crate::limits::StoreLimits;
use crate::table::Table;
use workyard_engine::{Caller, Engine, Outbox, SessionId, Time};
use workyard_protocol::Refusal;
use workyard_protocol::globaldata::{GlobalDataWire, Push, Reply, Request};

/// Shared variables and the counter of their revisions.
///
/// Each write that happens takes the next number, a deletion included; all writes of a batch take one
/// together. What is refused or in conflict takes none.
pub struct Store {
    pub(crate) limits: StoreLimits,
    pub(crate) table: Table,
    /// The number of the latest write.
    pub(crate) revision: u64,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Variables.
    pub keys: u64,
    /// What they are counted with against `store_bytes_max`.
    pub bytes: u64,
    /// The number of the latest write; where the store began when there was none.
    pub revision: u64,
}

impl Store {
    /// An empty store, whose first write gets revision 1.
    #[must_use]
    pub fn new(limits: StoreLimits) -> Self {
        Self { limits, table: Table::default(), revision: 0 }
    }

    /// An empty store, whose first write gets the revision after this one.
    ///
    /// A server begins where none before it can have come to, so that a revision read from one that
    /// has been restarted since matches nothing.
    #[must_use]
    pub fn after(revision: u64, limits: StoreLimits) -> Self {
        Self { revision, ..Self::new(limits) }
    }

    /// How much it holds.
    #[must_use]
    pub fn census(&self) -> Census {
        Census { keys: self.table.keys(), bytes: self.table.bytes(), revision: self.revision }
    }

    fn answer(&mut self, request: Request<'_>) -> Result<Reply<'_>, Refusal> {
        match request {
            Request::Get(request) => Ok(self.read(request)),
            Request::GetMany(request) => self.read_many(&request),
            Request::Write(request) => self.write(request),
            Request::Increment(request) => self.increment(request),
            Request::Delete(request) => self.delete(request),
            Request::Exists(request) => Ok(self.exists(request)),
            Request::Batch(request) => self.batch(&request),
            Request::Keys(request) => Ok(self.keys(request)),
        }
    }
}

impl Engine for Store {
    type Wire = GlobalDataWire;
    type Request<'a> = Request<'a>;

    fn handle(
        &mut self,
        _now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        match self.answer(request) {
            Ok(reply) => outbox.reply(caller, reply),
            Err(refusal) => outbox.refuse(caller, refusal),
        }
    }

    /// A session leaves nothing behind: variables belong to nobody.
    fn close(&mut self, _: Time, _: SessionId, _: &mut impl Outbox<GlobalDataWire>) {}

    fn drained(&mut self, _: Time, _: SessionId, _: &mut impl Outbox<GlobalDataWire>) {}

    fn gap(_topic: Option<&[u8]>, _missed: u64) -> Option<Push> {
        None
    }
}

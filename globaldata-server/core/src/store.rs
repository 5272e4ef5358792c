//! The store as an engine: one request in, one answer out.

use crate::limits::StoreLimits;
use crate::modify::Workspace;
use crate::table::Table;
use workyard_engine::{Caller, Engine, Loss, Outbox, SessionId, Time};
use workyard_protocol::Refusal;
use workyard_protocol::globaldata::{GlobalDataWire, Push, Reply, Request};

/// Shared variables and the counter of their revisions.
///
/// Each write that happens takes the next number, a deletion included; all writes of a batch take one
/// together. What is refused or in conflict takes none. A variable that expires takes one when it is
/// freed; another lifetime alone takes none.
pub struct Store {
    pub(crate) limits: StoreLimits,
    pub(crate) table: Table,
    /// The number of the latest write.
    pub(crate) revision: u64,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Variables, those included that have expired and are still to be freed.
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

    fn answer<'s>(
        &'s mut self,
        now: Time,
        request: Request<'_>,
        workspace: &'s mut Workspace,
    ) -> Result<Reply<'s>, Refusal> {
        match request {
            Request::Get(request) => Ok(self.read(now, request)),
            Request::GetMany(request) => self.read_many(now, &request),
            Request::Write(request) => self.write(now, request),
            Request::Increment(request) => self.increment(now, request),
            Request::Delete(request) => self.delete(now, request),
            Request::Exists(request) => Ok(self.exists(now, request)),
            Request::Batch(request) => self.batch(now, &request),
            Request::Keys(request) => Ok(self.keys(now, request)),
            Request::Touch(request) => self.touch(now, request),
            Request::Modify(request) => self.modify(now, &request, workspace),
        }
    }
}

impl Engine for Store {
    type Wire = GlobalDataWire;
    type Request<'a> = Request<'a>;

    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        match self.answer(now, request, &mut Workspace::default()) {
            Ok(reply) => outbox.reply(caller, reply),
            Err(refusal) => outbox.refuse(caller, refusal),
        }
    }

    /// A session leaves nothing behind: variables belong to nobody.
    fn close(&mut self, _: Time, _: SessionId, _: &mut impl Outbox<GlobalDataWire>) {}

    fn drained(&mut self, _: Time, _: SessionId, _: &mut impl Outbox<GlobalDataWire>) {}

    /// The earliest deadline, at once or past when a portion was not enough.
    fn next_deadline(&self) -> Option<Time> {
        self.table.first_deadline().map(|(deadline, _)| deadline)
    }

    /// Frees a portion of what has expired.
    fn expire(&mut self, now: Time, _: &mut impl Outbox<GlobalDataWire>) {
        self.free_lapsed(now);
    }

    fn gap(_: Loss<'_>) -> Option<Push> {
        None
    }
}

//! The store as an engine: one request in, one answer out.

use crate::limits::StoreLimits;
use crate::locks::Locks;
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
    pub(crate) locks: Locks,
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

/// How many locks are in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockCensus {
    /// Locks that are held or waited for.
    pub locks: usize,
    /// Permits of these that are held or waited for.
    pub claims: usize,
}

impl Store {
    /// An empty store, whose first write gets revision 1.
    #[must_use]
    pub fn new(limits: StoreLimits) -> Self {
        Self::after(0, limits)
    }

    /// An empty store, whose first write gets the revision after this one, and whose first lock the
    /// token after it.
    ///
    /// A server begins where none before it can have come to, so that a revision read from one that
    /// has been restarted since matches nothing, and tokens go on growing.
    #[must_use]
    pub fn after(revision: u64, limits: StoreLimits) -> Self {
        Self { limits, table: Table::default(), revision, locks: Locks::after(revision) }
    }

    /// How much it holds.
    #[must_use]
    pub fn census(&self) -> Census {
        Census { keys: self.table.keys(), bytes: self.table.bytes(), revision: self.revision }
    }

    /// How many locks are in use.
    #[must_use]
    pub fn lock_census(&self) -> LockCensus {
        LockCensus { locks: self.locks.count(), claims: self.locks.claims() }
    }

    fn answer<'s>(
        &'s mut self,
        now: Time,
        session: SessionId,
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
            Request::Look(request) => self.look(now, &request),
            Request::Modify(request) => self.modify(now, &request, workspace),
            Request::Lock(wish) => {
                self.locks.lock(&self.limits, now, session, wish).map(Reply::Lock)
            }
            Request::Unlock(request) => {
                let released = self.locks.unlock(now, session, request);
                Ok(Reply::Unlocked { released })
            }
            Request::RenewLocks(request) => {
                self.limits.check_items(request.renewals.len(), "locks to renew")?;
                Ok(Reply::Renewed { lost: self.locks.renew(now, session, &request) })
            }
            Request::Locks(request) => Ok(self.locks.page(&self.limits, now, request)),
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
        match self.answer(now, caller.session, request, &mut Workspace::default()) {
            Ok(reply) => outbox.reply(caller, reply),
            Err(refusal) => outbox.refuse(caller, refusal),
        }
        // After the answer: whoever is queued knows its number before it is told that it is its turn.
        if self.locks.has_notices() {
            self.locks.tell(outbox);
        }
    }

    /// A session leaves nothing behind: its locks pass on, and variables belong to nobody.
    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.locks.close(now, session);
        self.locks.tell(outbox);
    }

    fn drained(&mut self, _: Time, _: SessionId, _: &mut impl Outbox<GlobalDataWire>) {}

    /// The earliest deadline, at once or past when a portion was not enough.
    fn next_deadline(&self) -> Option<Time> {
        let variable = self.table.first_deadline().map(|(deadline, _)| deadline);
        variable.into_iter().chain(self.locks.first_deadline()).min()
    }

    /// Frees a portion of what has expired, and takes a portion of the locks that were not renewed.
    fn expire(&mut self, now: Time, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.free_lapsed(now);
        self.locks.expire(now, self.limits.expire_locks_max);
        self.locks.tell(outbox);
    }

    fn gap(_: Loss<'_>) -> Option<Push> {
        None
    }
}

//! The store as an engine: one request in, one answer out.

use crate::limits::StoreLimits;
use crate::locks::Locks;
use crate::modify::Workspace;
use crate::table::Table;
use crate::watch::Watches;
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
    pub(crate) watches: Watches,
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
        let (table, watches) = (Table::default(), Watches::default());
        Self { limits, table, revision, locks: Locks::after(revision), watches }
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
}

impl Store {
    fn answer_lock(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        let session = caller.session;
        let answer = match request {
            Request::Lock(wish) => {
                self.locks.lock(&self.limits, now, session, wish).map(Reply::Lock)
            }
            Request::Unlock(request) => {
                Ok(Reply::Unlocked { released: self.locks.unlock(now, session, request) })
            }
            Request::RenewLocks(request) => {
                let checked = self.limits.check_items(request.renewals.len(), "locks to renew");
                checked.map(|()| Reply::Renewed { lost: self.locks.renew(now, session, &request) })
            }
            Request::Locks(request) => Ok(self.locks.page(&self.limits, now, request)),
            other => unreachable!("{other:?} is about variables"),
        };
        send(caller, answer, outbox);
        // After the answer: whoever is queued knows its number before it is told that it is its turn.
        if self.locks.has_notices() {
            self.locks.tell(outbox);
        }
    }
}

impl Engine for Store {
    type Wire = GlobalDataWire;
    type Request<'a> = Request<'a>;

    const FORESEES: bool = true;

    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        // Made by the one request that needs it, as every other would have to drop it.
        let mut workspace: Option<Workspace> = None;
        let answer = match request {
            Request::Get(request) => return outbox.reply(caller, self.read(now, request)),
            Request::GetMany(request) => {
                return send(caller, self.read_many(now, &request), outbox);
            }
            Request::Exists(request) => return outbox.reply(caller, self.exists(now, request)),
            Request::Look(request) => return send(caller, self.look(now, &request), outbox),
            Request::Keys(request) => return outbox.reply(caller, self.keys(now, request)),
            Request::Entries(request) => return outbox.reply(caller, self.entries(now, request)),
            Request::Count(request) => return outbox.reply(caller, self.count(now, request)),
            Request::Watch(request) => return self.watch(now, caller, request, outbox),
            Request::Unwatch(request) => Ok(self.unwatch(now, caller.session, &request)),
            Request::Write(request) => self.write(now, request),
            Request::Increment(request) => self.increment(now, request),
            Request::Delete(request) => self.delete(now, request),
            Request::Batch(request) => self.batch(now, &request),
            Request::Touch(request) => self.touch(now, request),
            Request::Modify(request) => {
                self.modify(now, &request, workspace.get_or_insert_default())
            }
            request => return self.answer_lock(now, caller, request, outbox),
        };
        // Before the answer: whoever hears that his write is done has been told of it.
        self.announce(now, outbox);
        send(caller, answer, outbox);
    }

    /// What a variable's request takes longest with is waiting for memory: its key is looked up by a table, a
    /// row and the row's data, each of which says where the next one is. Several of them wait together.
    fn foresee(&self, name: &[u8]) {
        self.table.fetch(name);
    }

    /// A session leaves nothing behind: its locks pass on, and variables belong to nobody.
    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.watches.close(now, session);
        self.locks.close(now, session);
        self.locks.tell(outbox);
    }

    fn drained(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.watches.advance(now, session, self.revision, &self.limits, outbox);
    }

    /// The earliest deadline, at once or past when a portion was not enough.
    fn next_deadline(&self) -> Option<Time> {
        let variable = self.table.first_deadline().map(|(deadline, _)| deadline);
        let watch = self.watches.next_deadline(&self.limits);
        variable.into_iter().chain(self.locks.first_deadline()).chain(watch).min()
    }

    /// Frees a portion of what has expired, takes a portion of the locks that were not renewed, and tells
    /// those who watch a portion of what they missed.
    fn expire(&mut self, now: Time, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.free_lapsed(now);
        self.announce(now, outbox);
        self.watches.expire(now, self.revision, &self.limits, outbox);
        self.locks.expire(now, self.limits.expire_locks_max);
        self.locks.tell(outbox);
    }

    /// Nothing is published that could be dropped.
    fn gap(_: Loss<'_>) -> Option<Push<'_>> {
        None
    }
}

fn send(
    caller: Caller,
    answer: Result<Reply<'_>, Refusal>,
    outbox: &mut impl Outbox<GlobalDataWire>,
) {
    match answer {
        Ok(reply) => outbox.reply(caller, reply),
        Err(refusal) => outbox.refuse(caller, refusal),
    }
}

//! What the connection's task knows of this client: the locks that it holds and waits for, and what it
//! watches.

mod claim;
mod locks;
mod watches;

pub use claim::LockLost;
pub(crate) use claim::{Acquired, ClaimId, Lease, Wish};
pub(crate) use locks::Claimed;
use locks::Locks;
use tokio::sync::oneshot;
use tokio::time::Instant;
pub(crate) use watches::{Begun, Feed, Mark, ToWatch, Told, Topic, WatcherId};
use watches::{Pushed, TOKENS, Watches};
use workyard_link::{DisconnectReason, Error, Outbox, Received, Server, Session};
use workyard_protocol::control::ServiceKind;
use workyard_protocol::globaldata::{Push, Reply};
use workyard_protocol::{DecodeError, Refusal};

/// What handles ask of the session.
#[derive(Debug)]
pub(crate) enum Command {
    /// Somebody wants a lock.
    Claim { id: ClaimId, wish: Wish, waiter: Claimed },
    /// Nobody wants it any more, or holds it: its guard is gone, or was never made.
    Release { id: ClaimId },
    /// The same, from one who waits until it is done.
    Unlock { id: ClaimId, done: oneshot::Sender<Result<(), Error>> },
    /// Somebody wants to hear of changes.
    Watch { id: WatcherId, what: ToWatch, begun: Begun },
    /// There is room again for what a watcher is told.
    Resume { id: WatcherId },
    /// A watcher is gone.
    EndWatch { id: WatcherId },
}

/// The session of one connection.
#[derive(Debug, Default)]
pub(crate) struct GlobalDataSession {
    locks: Locks,
    watches: Watches,
}

impl Session for GlobalDataSession {
    type Command = Command;

    fn service(&self) -> ServiceKind {
        ServiceKind::GlobalData
    }

    fn connected(&mut self, server: &Server, outbox: &mut Outbox) {
        self.locks.connected(outbox);
        self.watches.connected(server, outbox);
    }

    fn disconnected(&mut self, _: &DisconnectReason, _: &mut Outbox) {
        self.locks.disconnected();
        self.watches.disconnected();
    }

    fn command(&mut self, command: Command, outbox: &mut Outbox) {
        match command {
            Command::Claim { id, wish, waiter } => self.locks.claim(id, wish, waiter, outbox),
            Command::Release { id } => self.locks.release(id, None, outbox),
            Command::Unlock { id, done } => self.locks.release(id, Some(done), outbox),
            Command::Watch { id, what, begun } => self.watches.watch(id, what, begun, outbox),
            Command::Resume { id } => self.watches.resume(id, outbox),
            Command::EndWatch { id } => self.watches.end(id, outbox),
        }
    }

    fn pushed(&mut self, push: &Received, outbox: &mut Outbox) -> Result<(), DecodeError> {
        match push.decode()? {
            Push::LockGranted { token } => self.locks.granted(token, outbox),
            Push::LockLost { token } => self.locks.lost(token, outbox),
            Push::Changed { watch, key, revision, more, change } => {
                let changed = Pushed { watch, key, revision, more, change };
                self.watches.changed(push, &changed, outbox);
            }
            Push::Reached { watch, revision, live } => {
                self.watches.reached(watch, revision, live, outbox);
            }
            Push::Compacted { watch, .. } => self.watches.compacted(watch, outbox),
        }
        Ok(())
    }

    fn answered(
        &mut self,
        token: u64,
        answer: Result<Received, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        if token & TOKENS != 0 {
            return self.watches.answered(token, answer, outbox);
        }
        match answer {
            Ok(received) => {
                let reply: Reply<'_> = received.decode()?;
                self.locks.answered(token, Ok(reply), outbox)
            }
            Err(refusal) => self.locks.answered(token, Err(refusal), outbox),
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        self.locks.wake_at()
    }

    fn woken(&mut self, now: Instant, outbox: &mut Outbox) {
        self.locks.renew(now, outbox);
    }
}

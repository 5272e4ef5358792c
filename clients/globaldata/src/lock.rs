//! Locks and semaphores: how they are asked for, held and given back.

use crate::client::GlobalDataClient;
use crate::error::Error;
use crate::limits::LOCK_TTL;
use crate::session::{Acquired, ClaimId, Command, GlobalDataSession, Lease, LockLost, Wish};
use bytes::Bytes;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};
use workyard_link::{ErrorKind, Link};
use workyard_protocol::{LockName, Ttl};

/// A lock or semaphore to be asked for; see [`GlobalDataClient::lock`].
#[derive(Clone, Debug)]
#[must_use = "nothing is locked before it is acquired"]
pub struct Lock<'c> {
    client: &'c GlobalDataClient,
    name: Bytes,
    permits: u32,
    ttl: Duration,
}

/// A lock that is held, or was: [`LockGuard::is_held`] tells. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "the lock is given back when its guard is dropped"]
pub struct LockGuard {
    claim: Claim,
    name: Bytes,
    token: u64,
    lease: watch::Receiver<Lease>,
}

/// What somebody wants or has. When it is dropped, the connection's task gives it back.
#[derive(Debug)]
struct Claim {
    link: Link<GlobalDataSession>,
    id: ClaimId,
}

impl GlobalDataClient {
    /// A lock by its name, which has nothing to do with a variable's.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let guard = client.lock("nightly-report").ttl(Duration::from_secs(10)).acquire().await?;
    /// client.fenced_by(&guard).set("report", "done").await?;
    /// drop(guard);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The lock is held as long as its guard lives: the task of the client's connection renews it, so that
    /// what is done under it may take any time. It ends at once when the process does or the connection
    /// is lost, and by its ttl when the process is stopped or cut off. Who wants it then gets it, in the
    /// order of asking.
    ///
    /// **What a lock does not promise.** A process that was stopped for longer than the ttl goes on where
    /// it was, and another one holds the lock meanwhile. So a lock by itself keeps others from beginning,
    /// and does not keep a late one from finishing. What does is the [token](LockGuard::token), wherever it
    /// is checked: writes through [`GlobalDataClient::fenced_by`] are, by the server.
    pub fn lock(&self, name: impl AsRef<[u8]>) -> Lock<'_> {
        self.semaphore(name, 1)
    }

    /// A semaphore: a lock that so many may hold at once. All who share it name the same number; who names
    /// another one while it is in use is refused with [`Reason::PermitsDiffer`].
    ///
    /// [`Reason::PermitsDiffer`]: crate::Reason::PermitsDiffer
    pub fn semaphore(&self, name: impl AsRef<[u8]>, permits: u32) -> Lock<'_> {
        let name = Bytes::copy_from_slice(name.as_ref());
        Lock { client: self, name, permits, ttl: LOCK_TTL }
    }
}

impl Lock<'_> {
    /// How long the lock outlives a process that does not renew it any more: 30 s, unless told otherwise.
    /// It is renewed each time that a third of it is over. What is shorter than a stop of the process,
    /// or of a busy single-threaded runtime, that must not cost the lock, is too short.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Waits for the lock, however long that takes, a reconnect included: then its place in the queue is a
    /// new one. Whoever drops the future waits no more, and leaves nothing behind.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for no permits or a ttl that
    /// nothing can have.
    pub async fn acquire(&self) -> Result<LockGuard, Error> {
        let wish = self.wish(true)?;
        let (claim, command, answer) = self.claim(wish);
        claim.link.command(command).await?;
        let acquired = answer.await.map_err(|_| workyard_link::Error::Closed)??;
        let acquired = acquired.expect("who waits is not told that it is busy");
        Ok(self.guard(claim, acquired))
    }

    /// Waits for the lock so long at most; nothing if others hold it all that time.
    ///
    /// # Errors
    /// As for [`Lock::acquire`]; `Unreachable` when there was no connection.
    pub async fn acquire_within(&self, timeout: Duration) -> Result<Option<LockGuard>, Error> {
        let wish = self.wish(true)?;
        match self.asked(wish, Some(timeout)).await {
            Err(Error::Link(error)) if error.kind() == ErrorKind::TimedOut => Ok(None),
            outcome => outcome,
        }
    }

    /// The lock, if nobody else holds it.
    ///
    /// # Errors
    /// As for [`Lock::acquire`].
    pub async fn try_acquire(&self) -> Result<Option<LockGuard>, Error> {
        self.asked(self.wish(false)?, None).await
    }

    async fn asked(
        &self,
        wish: Wish,
        timeout: Option<Duration>,
    ) -> Result<Option<LockGuard>, Error> {
        let (claim, command, answer) = self.claim(wish);
        let link = match timeout {
            Some(timeout) => claim.link.with_call_timeout(timeout),
            None => claim.link.clone(),
        };
        let acquired = link.ask(command, answer).await?;
        Ok(acquired.map(|acquired| self.guard(claim, acquired)))
    }

    fn wish(&self, wait: bool) -> Result<Wish, Error> {
        LockName::new(&self.name)?;
        let permits = NonZeroU32::new(self.permits).ok_or_else(|| {
            let text = "a semaphore of 0 permits could never be held: 1 is a lock".to_owned();
            Error::InvalidArgument(text)
        })?;
        let ttl = Ttl::try_from(self.ttl);
        let ttl = ttl.map_err(|error| Error::InvalidArgument(error.to_string()))?;
        let wish = Wish { name: self.name.clone(), permits, ttl, wait };
        if !wish.is_long_enough() {
            let text = "a lock of 1 ms could be over before that is known: take a longer ttl";
            return Err(Error::InvalidArgument(text.to_owned()));
        }
        Ok(wish)
    }

    /// The claim lives from before it is asked for: a caller that is dropped at any time leaves nothing. Its
    /// answer must be dropped first, so that the session finds nobody waiting when it hears of that.
    fn claim(&self, wish: Wish) -> (Claim, Command, Answer) {
        let id = self.client.next_id();
        let link = self.client.link(self.client.shard_of(&self.name)).clone();
        let (waiter, answer) = oneshot::channel();
        (Claim { link, id }, Command::Claim { id, wish, waiter }, answer)
    }

    fn guard(&self, claim: Claim, acquired: Acquired) -> LockGuard {
        let Acquired { token, lease } = acquired;
        LockGuard { claim, name: self.name.clone(), token, lease }
    }
}

type Answer = oneshot::Receiver<Result<Option<Acquired>, workyard_link::Error>>;

impl LockGuard {
    /// The fencing token: larger than that of everybody who held the lock before, restarts of the server
    /// included. Whoever is handed it along with a change, and refuses one that is smaller than any it
    /// has seen, is safe from holders that do not know that they have lost the lock.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.token
    }

    /// The lock's name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether the lock is held as far as can be known here. It is not, from a ttl less a millisecond after
    /// the last renewal was sent on, which is never later than the server lets it run out, or once the
    /// connection is lost.
    /// That the server may know first: it gives the lock to another when it hears of the end of the
    /// connection, and a server that has died and started anew knows of no holder. What keeps the writes
    /// of one who has not heard of it yet from being carried out is the [token](LockGuard::token).
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.state().is_ok()
    }

    /// Waits until the lock is lost. A lock that is lost is never taken again by itself.
    pub async fn lost(&self) -> LockLost {
        let mut lease = self.lease.clone();
        loop {
            let until = match self.state() {
                Ok(until) => until,
                Err(lost) => return lost,
            };
            tokio::select! {
                () = sleep_until(until) => {}
                // An end of the session ends the wait too.
                _ = lease.changed() => {}
            }
        }
    }

    /// Gives the lock back and waits until the server has done so; dropping the guard does it in the
    /// background. One that the server took away needs nothing more.
    ///
    /// # Errors
    /// `TimedOut`, `Closed`: it is given back all the same, by its ttl at the latest.
    pub async fn unlock(self) -> Result<(), Error> {
        if self.lease.borrow().lost.is_some() {
            return Ok(());
        }
        let (done, answer) = oneshot::channel();
        let command = Command::Unlock { id: self.claim.id, done };
        Ok(self.claim.link.ask(command, answer).await?)
    }

    /// Until when the lock is certainly held, or why it is not.
    fn state(&self) -> Result<Instant, LockLost> {
        let Lease { until, lost } = *self.lease.borrow();
        match lost {
            Some(lost) => Err(lost),
            // The connection's task ended with its runtime.
            None if self.lease.has_changed().is_err() => Err(LockLost::Disconnected),
            None if until <= Instant::now() => Err(LockLost::Expired),
            None => Ok(until),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.link.release(Command::Release { id: self.id });
    }
}

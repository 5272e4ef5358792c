//! The locks that this client holds and waits for, as the connection's task keeps them: it asks, waits,
//! renews and gives back, so that whoever works under a lock need not.

use super::claim::{Acquired, ClaimId, Lease, LockLost, RenewalState, Stage, Wish};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use workyard_link::{Error, Event, Outbox};
use workyard_protocol::globaldata::{LockReply, RenewLocks, Reply, Request};
use workyard_protocol::{DecodeError, Refusal};

/// Most locks that one request renews: a hundred names of 4 KiB fit into any server's frames.
const RENEWALS_MAX: usize = 100;

/// Who waits for a lock: nothing is answered when it is busy, and the wish was not to wait.
pub(crate) type Claimed = oneshot::Sender<Result<Option<Acquired>, Error>>;

/// Who waits for a lock to be given back.
type Done = oneshot::Sender<Result<(), Error>>;

/// All claims of this client on one server.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    claims: BTreeMap<ClaimId, Claim>,
    /// Whose token is whose.
    tokens: HashMap<u64, ClaimId>,
    /// When which lock is renewed.
    renewals: BTreeSet<(Instant, ClaimId)>,
    asked: BTreeMap<u64, Asked>,
    /// The token of the last request.
    last: u64,
    connected: bool,
}

#[derive(Debug)]
struct Claim {
    wish: Wish,
    stage: Stage,
    /// There until somebody has the lock.
    waiter: Option<Claimed>,
}

/// What an answer of the server is about.
#[derive(Debug)]
enum Asked {
    Lock(ClaimId),
    Unlock(Option<Done>),
    /// What was renewed, and when.
    Renew(Vec<(ClaimId, u64)>, Instant),
}

impl Locks {
    /// Whatever is still waited for is asked for again: the server forgot it with the connection.
    pub(crate) fn connected(&mut self, outbox: &mut Outbox) {
        self.connected = true;
        self.claims.retain(|_, claim| claim.is_wanted());
        let wanted: Vec<ClaimId> = self.claims.keys().copied().collect();
        for id in wanted {
            self.ask(id, outbox);
        }
    }

    /// The server gives back what was held: nobody may believe to hold it, nor is it taken again unasked.
    pub(crate) fn disconnected(&mut self) {
        self.connected = false;
        self.tokens.clear();
        self.renewals.clear();
        for (_, asked) in std::mem::take(&mut self.asked) {
            if let Asked::Unlock(done) = asked {
                finish(done, Ok(()));
            }
        }
        self.claims.retain(|_, claim| match std::mem::replace(&mut claim.stage, Stage::Wanted) {
            Stage::Held { lease, .. } => {
                lose(&lease, LockLost::Disconnected);
                false
            }
            _ => true,
        });
    }

    pub(crate) fn claim(&mut self, id: ClaimId, wish: Wish, waiter: Claimed, outbox: &mut Outbox) {
        if waiter.is_closed() {
            return;
        }
        self.claims.insert(id, Claim { wish, stage: Stage::Wanted, waiter: Some(waiter) });
        if self.connected {
            self.ask(id, outbox);
        }
    }

    /// Gives back what was claimed, however far it has come. A claim whose answer is on its way is given
    /// back when it is there: nobody waits for it any more.
    pub(crate) fn release(&mut self, id: ClaimId, done: Option<Done>, outbox: &mut Outbox) {
        let is_asked = |claim: &Claim| matches!(claim.stage, Stage::Asked(_));
        if self.claims.get(&id).is_some_and(is_asked) {
            return;
        }
        match self.remove(id) {
            Some((wish, token)) => self.unlock(&wish, token, done, outbox),
            None => finish(done, Ok(())),
        }
    }

    /// The turn of a claim has come. How long ago, only a renewal tells.
    pub(crate) fn granted(&mut self, token: u64, outbox: &mut Outbox) {
        let Some(id) = self.tokens.get(&token).copied() else { return };
        let claim = self.claims.get_mut(&id).expect("tokens are of claims");
        if matches!(claim.stage, Stage::Queued { .. }) {
            self.confirm(id, token, outbox);
        }
    }

    /// The server has taken a lock away. Who had not got it yet goes on waiting.
    pub(crate) fn lost(&mut self, token: u64, outbox: &mut Outbox) {
        let Some(id) = self.tokens.remove(&token) else { return };
        let claim = self.claims.get_mut(&id).expect("tokens are of claims");
        match std::mem::replace(&mut claim.stage, Stage::Wanted) {
            Stage::Held { lease, renewal, .. } => {
                lose(&lease, LockLost::Expired);
                self.forget_renewal(id, renewal);
                self.claims.remove(&id);
            }
            _ => self.ask(id, outbox),
        }
    }

    pub(crate) fn answered(
        &mut self,
        token: u64,
        answer: Result<Reply<'_>, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        let asked = self.asked.remove(&token).expect("a request is answered once");
        match (asked, answer) {
            (Asked::Lock(id), Ok(Reply::Lock(reply))) => self.claimed(id, reply, outbox),
            (Asked::Lock(id), Err(refusal)) => self.refused(id, refusal),
            (Asked::Unlock(done), Ok(Reply::Unlocked { .. })) => finish(done, Ok(())),
            (Asked::Unlock(done), Err(refusal)) => finish(done, Err(Error::Refused(refusal))),
            (Asked::Renew(renewed, sent), Ok(Reply::Renewed { lost })) => {
                self.renewed(&renewed, sent, &lost, outbox);
            }
            // Nothing is prolonged by it, and the next attempt comes in time.
            (Asked::Renew(renewed, sent), Err(refusal)) => {
                outbox.event(Event::Refused(refusal));
                self.schedule(&renewed, sent);
            }
            (_, Ok(other)) => {
                let text = format!("{other:?} is no answer to a request about locks");
                return Err(DecodeError::Malformed(text));
            }
        }
        Ok(())
    }

    /// When the next lock is to be renewed.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.renewals.first().map(|(at, _)| *at)
    }

    /// Renews what is due.
    pub(crate) fn renew(&mut self, now: Instant, outbox: &mut Outbox) {
        let mut due = Vec::new();
        while let Some((at, id)) = self.renewals.first().copied()
            && at <= now
        {
            self.renewals.pop_first();
            let claim = self.claims.get_mut(&id).expect("what is renewed is held");
            if let Stage::Held { token, renewal, .. } = &mut claim.stage {
                *renewal = RenewalState::Sent;
                due.push((id, *token));
            }
        }
        for due in due.chunks(RENEWALS_MAX) {
            self.send_renewal(due.to_vec(), now, outbox);
        }
    }

    fn ask(&mut self, id: ClaimId, outbox: &mut Outbox) {
        let token = self.next(Asked::Lock(id));
        let claim = self.claims.get_mut(&id).expect("a claim is asked for while it is there");
        claim.stage = Stage::Asked(Instant::now());
        outbox.request(token, &Request::Lock(claim.wish.lock()));
    }

    fn unlock(&mut self, wish: &Wish, token: Option<u64>, done: Option<Done>, outbox: &mut Outbox) {
        match token {
            Some(token) => {
                let request = self.next(Asked::Unlock(done));
                outbox.request(request, &Request::Unlock(wish.unlock(token)));
            }
            None => finish(done, Ok(())),
        }
    }

    fn confirm(&mut self, id: ClaimId, token: u64, outbox: &mut Outbox) {
        let claim = self.claims.get_mut(&id).expect("a claim is confirmed while it is there");
        claim.stage = Stage::Confirming { token };
        self.send_renewal(vec![(id, token)], Instant::now(), outbox);
    }

    fn send_renewal(&mut self, locks: Vec<(ClaimId, u64)>, now: Instant, outbox: &mut Outbox) {
        let renewals = locks.iter().map(|(id, token)| self.claims[id].wish.renewal(*token));
        let request = Request::RenewLocks(RenewLocks { renewals: renewals.collect() });
        let token = self.last + 1;
        outbox.request(token, &request);
        self.next(Asked::Renew(locks, now));
    }

    fn claimed(&mut self, id: ClaimId, reply: LockReply, outbox: &mut Outbox) {
        let claim = self.claims.get_mut(&id).expect("a claim is kept until it is answered");
        let Stage::Asked(sent) = claim.stage else { unreachable!("it was asked for") };
        match reply {
            LockReply::Busy => {
                let claim = self.claims.remove(&id);
                answer(claim, Ok(None));
            }
            LockReply::Queued { token } => {
                claim.stage = Stage::Queued { token };
                self.tokens.insert(token, id);
                self.give_up_unless_wanted(id, outbox);
            }
            LockReply::Locked { token } => {
                claim.stage = Stage::Confirming { token };
                self.tokens.insert(token, id);
                self.hand_out(id, token, sent, outbox);
            }
        }
    }

    fn refused(&mut self, id: ClaimId, refusal: Refusal) {
        let claim = self.claims.remove(&id);
        answer(claim, Err(Error::Refused(refusal)));
    }

    fn renewed(
        &mut self,
        renewed: &[(ClaimId, u64)],
        sent: Instant,
        lost: &[u64],
        outbox: &mut Outbox,
    ) {
        for &(id, token) in renewed {
            if lost.contains(&token) {
                self.lost(token, outbox);
                continue;
            }
            let Some(claim) = self.claims.get(&id) else { continue };
            match &claim.stage {
                Stage::Confirming { token: now } if *now == token => {
                    self.hand_out(id, token, sent, outbox);
                }
                // Its guard may have said so already, and does not change its mind.
                Stage::Held { token: now, lease, .. } if *now == token && has_ended(lease) => {
                    lose(lease, LockLost::Expired);
                    self.release(id, None, outbox);
                }
                Stage::Held { token: now, lease, .. } if *now == token => {
                    lease.send_modify(|lease| lease.until = claim.wish.until(sent));
                }
                _ => {}
            }
        }
        self.schedule(renewed, sent);
    }

    /// Gives the lock, which is held since `sent` at the earliest, to whoever waits for it.
    fn hand_out(&mut self, id: ClaimId, token: u64, sent: Instant, outbox: &mut Outbox) {
        let claim = self.claims.get_mut(&id).expect("a claim is handed out while it is there");
        let until = claim.wish.until(sent);
        if claim.is_wanted() && until <= Instant::now() {
            // The answer was so slow that nothing is certain: another renewal tells.
            return self.confirm(id, token, outbox);
        }
        let (lease, receiver) = watch::channel(Lease { until, lost: None });
        let at = claim.wish.next_renewal(sent);
        claim.stage = Stage::Held { token, lease, renewal: RenewalState::At(at) };
        self.renewals.insert((at, id));
        let acquired = Acquired { token, lease: receiver };
        let waiter = claim.waiter.take();
        if waiter.is_none_or(|waiter| waiter.send(Ok(Some(acquired))).is_err()) {
            self.release(id, None, outbox);
        }
    }

    /// Ends a claim that nobody waits for.
    fn give_up_unless_wanted(&mut self, id: ClaimId, outbox: &mut Outbox) {
        if !self.claims[&id].is_wanted() {
            self.release(id, None, outbox);
        }
    }

    /// Lets those of these that are still held be renewed again.
    fn schedule(&mut self, renewed: &[(ClaimId, u64)], sent: Instant) {
        for &(id, token) in renewed {
            let Some(claim) = self.claims.get_mut(&id) else { continue };
            let at = claim.wish.next_renewal(sent);
            if let Stage::Held { token: now, renewal, .. } = &mut claim.stage
                && (*now, *renewal) == (token, RenewalState::Sent)
            {
                *renewal = RenewalState::At(at);
                self.renewals.insert((at, id));
            }
        }
    }

    /// Forgets a claim: what it was, and the number that the server knows it by.
    fn remove(&mut self, id: ClaimId) -> Option<(Wish, Option<u64>)> {
        let claim = self.claims.remove(&id)?;
        let token = claim.stage.token();
        if let Some(token) = token {
            self.tokens.remove(&token);
        }
        if let Stage::Held { renewal, .. } = claim.stage {
            self.forget_renewal(id, renewal);
        }
        Some((claim.wish, token))
    }

    fn forget_renewal(&mut self, id: ClaimId, renewal: RenewalState) {
        if let RenewalState::At(at) = renewal {
            self.renewals.remove(&(at, id));
        }
    }

    fn next(&mut self, asked: Asked) -> u64 {
        self.last += 1;
        self.asked.insert(self.last, asked);
        self.last
    }
}

impl Claim {
    /// Whether somebody waits for the lock.
    fn is_wanted(&self) -> bool {
        self.waiter.as_ref().is_some_and(|waiter| !waiter.is_closed())
    }
}

fn answer(claim: Option<Claim>, answer: Result<Option<Acquired>, Error>) {
    if let Some(waiter) = claim.and_then(|claim| claim.waiter) {
        // Whoever has gone leaves nothing: there is no lock to give back.
        let _ = waiter.send(answer);
    }
}

/// Tells whoever waits for a lock to be given back.
fn finish(done: Option<Done>, outcome: Result<(), Error>) {
    if let Some(done) = done {
        let _ = done.send(outcome);
    }
}

fn has_ended(lease: &watch::Sender<Lease>) -> bool {
    lease.borrow().until <= Instant::now()
}

fn lose(lease: &watch::Sender<Lease>, why: LockLost) {
    lease.send_modify(|lease| lease.lost = Some(why));
}

//! Every claim on a lock, by what was said at the server's door.

use crate::findings::Findings;
use std::collections::BTreeMap;
use workyard_engine::SessionId;
use workyard_protocol::globaldata::{Lock, LockReply, RenewLocks, Unlock};

#[derive(Debug, Default)]
pub(crate) struct Locks {
    /// By their tokens, which is the order in which they were made.
    claims: BTreeMap<u64, Claim>,
    /// The greatest token that has held each lock, over all server processes.
    greatest: BTreeMap<Vec<u8>, u64>,
}

#[derive(Debug)]
struct Claim {
    name: Vec<u8>,
    session: SessionId,
    permits: usize,
    ttl_ms: u64,
    /// From this millisecond on it is held no more, unless it is renewed; nothing while it waits.
    until_ms: Option<u64>,
}

impl Claim {
    fn is_held(&self, now_ms: u64) -> bool {
        self.until_ms.is_some_and(|until| until > now_ms)
    }
}

impl Locks {
    pub(crate) fn answered(
        &mut self,
        now_ms: u64,
        session: SessionId,
        lock: &Lock<'_>,
        reply: LockReply,
        findings: &Findings,
    ) {
        let (name, permits) = (lock.name.as_bytes(), lock.permits.get() as usize);
        let (token, is_held) = match reply {
            LockReply::Locked { token } => (token, true),
            LockReply::Queued { token } => (token, false),
            LockReply::Busy => {
                let claims = self.claims.values().filter(|claim| claim.name == name).count();
                return findings.check(claims >= permits && !lock.wait, || {
                    format!("{:?} is busy, with {claims} claims", lock.name)
                });
            }
        };
        let ttl_ms = lock.ttl.as_millis();
        let claim = Claim { name: name.to_vec(), session, permits, ttl_ms, until_ms: None };
        let before = self.claims.insert(token, claim);
        findings.check(before.is_none(), || format!("token {token} was given twice"));
        if is_held {
            self.hold(now_ms, session, token, findings);
        }
    }

    /// A claim becomes the holder: the next one in line, while there is a permit for it.
    pub(crate) fn hold(
        &mut self,
        now_ms: u64,
        session: SessionId,
        token: u64,
        findings: &Findings,
    ) {
        let Some(claim) = self.claims.get(&token) else {
            return findings.report(format!("token {token} was granted and never claimed"));
        };
        let of_this_lock = |other: &&Claim| other.name == claim.name;
        let holders =
            self.claims.values().filter(of_this_lock).filter(|one| one.is_held(now_ms)).count();
        findings.check(holders < claim.permits, || {
            format!("token {token} is granted, and {holders} hold the lock")
        });
        let is_its_own = claim.session == session && claim.until_ms.is_none();
        findings.check(is_its_own, || format!("{session:?} was granted token {token}: {claim:?}"));
        let greatest = self.greatest.entry(claim.name.clone()).or_default();
        findings.check(token > *greatest, || {
            format!("token {token} holds the lock behind token {greatest}")
        });
        *greatest = token;
        let claim = self.claims.get_mut(&token).expect("it was there");
        claim.until_ms = Some(now_ms + claim.ttl_ms);
    }

    /// A session is told that its time is over: not before it is.
    pub(crate) fn lost(&mut self, now_ms: u64, token: u64, findings: &Findings) {
        let claim = self.claims.remove(&token);
        let is_over = claim.as_ref().is_some_and(|claim| !claim.is_held(now_ms));
        findings.check(is_over, || format!("token {token} is lost: {claim:?} at {now_ms} ms"));
    }

    pub(crate) fn unlocked(
        &mut self,
        now_ms: u64,
        session: SessionId,
        unlock: &Unlock<'_>,
        released: bool,
        findings: &Findings,
    ) {
        let claim = self.claims.get(&unlock.token).filter(|claim| claim.session == session);
        // One whose time is over may have been taken away already, or not yet.
        let is_certain = claim.is_none_or(|one| one.is_held(now_ms) || one.until_ms.is_none());
        findings.check(released == claim.is_some() || !is_certain, || {
            format!("unlocked {}: {released}, {claim:?}", unlock.token)
        });
        // One that was not released has run out of time, and its session is told so.
        if released {
            self.claims.remove(&unlock.token);
        }
    }

    pub(crate) fn renewed(
        &mut self,
        now_ms: u64,
        session: SessionId,
        renew: &RenewLocks<'_>,
        lost: &[u64],
        findings: &Findings,
    ) {
        for renewal in &renew.renewals {
            let token = renewal.token;
            let claim = self.claims.get_mut(&token).filter(|claim| claim.session == session);
            let is_lost = lost.contains(&token);
            match claim {
                Some(claim) if claim.until_ms.is_some() && !is_lost => {
                    claim.until_ms = Some(now_ms + renewal.ttl.as_millis());
                }
                Some(claim) => findings.check(!is_lost || !claim.is_held(now_ms), || {
                    format!("token {token} is lost and was held: {claim:?}")
                }),
                None => {
                    findings.check(is_lost, || format!("token {token} was renewed by a stranger"));
                }
            }
        }
    }

    /// Something was done on behalf of whoever holds a lock, or refused for want of it.
    pub(crate) fn fenced(&self, now_ms: u64, token: u64, is_done: bool, findings: &Findings) {
        let is_held = self.claims.get(&token).is_some_and(|claim| claim.is_held(now_ms));
        findings.check(is_held == is_done, || {
            format!("on behalf of token {token}: done {is_done}, held {is_held}")
        });
    }

    /// What a session had or waited for is for others, at once. Returns its tokens.
    pub(crate) fn closed(&mut self, session: SessionId) -> Vec<u64> {
        let gone = self.claims.extract_if(.., |_, claim| claim.session == session);
        gone.map(|(token, _)| token).collect()
    }

    /// A new process knows of no claim; tokens go on growing. Returns those of the old one.
    pub(crate) fn crashed(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.claims).into_keys().collect()
    }
}

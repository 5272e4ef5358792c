//! The same locks, written as naively as possible: one list of claims in the order of their numbers.

use workyard_globaldata_core::StoreLimits;
use workyard_protocol::Reason;

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) claims: Vec<Claim>,
    limits: StoreLimits,
    token: u64,
    count: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) token: u64,
    pub(crate) session: u32,
    pub(crate) name: String,
    pub(crate) permits: u32,
    ttl: u64,
    /// There when it holds a permit.
    pub(crate) deadline: Option<u64>,
}

impl Model {
    pub(crate) fn new(limits: StoreLimits) -> Self {
        Self { claims: Vec::new(), limits, token: 0, count: 0 }
    }

    pub(crate) fn lock(
        &mut self,
        now: u64,
        session: u32,
        (name, permits, ttl, wait): (&str, u32, u64, bool),
    ) -> Vec<String> {
        let waiting = |claim: &&Claim| claim.name == name && claim.deadline.is_none();
        let wanted = self.claims.iter().filter(waiting).count() + 1;
        let told = self.settle(now, wanted, |claim| claim.name == name);
        self.rename_what_is_left(now, name, permits);
        let answer = self.claim(now, session, (name, permits, ttl, wait));
        let answer = answer.unwrap_or_else(|reason| format!("{reason}"));
        [vec![format!("{session} {answer}")], told].concat()
    }

    /// A lock that nobody holds any more may be made anew, with other permits. What is still to be taken of
    /// the old one has a name of its own then.
    fn rename_what_is_left(&mut self, now: u64, name: &str, permits: u32) {
        let is_over = |claim: &Claim| claim.deadline.is_some_and(|deadline| deadline <= now);
        let on_it = || self.claims.iter().filter(|claim| claim.name == name);
        if on_it().any(|claim| claim.permits != permits) && on_it().all(is_over) {
            let first = on_it().next().map_or(0, |claim| claim.token);
            for claim in self.claims.iter_mut().filter(|claim| claim.name == name) {
                claim.name = format!("what is left of {name} from {first} on");
            }
        }
    }

    fn claim(
        &mut self,
        now: u64,
        session: u32,
        (name, permits, ttl, wait): (&str, u32, u64, bool),
    ) -> Result<String, Reason> {
        let on_it = || self.claims.iter().filter(|claim| claim.name == name);
        if on_it().any(|claim| claim.permits != permits) {
            return Err(Reason::PermitsDiffer);
        }
        let is_free = on_it().count() < permits as usize;
        if !is_free && !wait {
            return Ok("busy".to_owned());
        }
        let mut names: Vec<&str> = self.claims.iter().map(|claim| &*claim.name).collect();
        names.push(name);
        names.sort_unstable();
        names.dedup();
        let of_session = self.claims.iter().filter(|claim| claim.session == session).count();
        if names.len() > self.limits.locks_max as usize
            || self.claims.len() >= self.limits.lock_claims_max
            || of_session >= self.limits.lock_claims_per_session_max
        {
            return Err(Reason::LimitReached);
        }
        self.token += 1;
        let (token, name) = (self.token, name.to_owned());
        let deadline = is_free.then_some(now + ttl);
        self.claims.push(Claim { token, session, name, permits, ttl, deadline });
        Ok(format!("{} {token}", if is_free { "locked" } else { "queued" }))
    }

    pub(crate) fn unlock(&mut self, now: u64, session: u32, name: &str, token: u64) -> Vec<String> {
        let told = self.settle(now, 1, |claim| {
            claim.session == session && claim.token == token && claim.name == name
        });
        match self.position(session, name, token) {
            None => [vec![format!("{session} had it not")], told].concat(),
            Some(at) => {
                let granted = self.remove(now, at);
                [vec![format!("{session} unlocked")], granted].concat()
            }
        }
    }

    pub(crate) fn renew(
        &mut self,
        now: u64,
        session: u32,
        renewals: &[(&str, u64, u64)],
    ) -> Vec<String> {
        let (mut lost, mut told) = (Vec::new(), Vec::new());
        for &(name, token, ttl) in renewals {
            told.extend(self.settle(now, 1, |claim| {
                claim.session == session && claim.token == token && claim.name == name
            }));
            match self.position(session, name, token) {
                None => lost.push(token),
                Some(at) => {
                    let deadline = &mut self.claims[at].deadline;
                    *deadline = deadline.map(|_| now + ttl);
                }
            }
        }
        let answer = match lost.is_empty() {
            true => "renewed".to_owned(),
            false => format!("has lost {lost:?}"),
        };
        [vec![format!("{session} {answer}")], told].concat()
    }

    pub(crate) fn fenced(&mut self, now: u64, session: u32, name: &str, token: u64) -> Vec<String> {
        let mut on_it = self.claims.iter().filter(|claim| claim.name == name);
        let claim = on_it.find(|claim| claim.token == token);
        let is_held = claim.and_then(|claim| claim.deadline).is_some_and(|deadline| deadline > now);
        if !is_held {
            return vec![format!("{session} {}", Reason::Fenced)];
        }
        self.count += 2;
        vec![format!("{session} counted {}", self.count)]
    }

    pub(crate) fn close(&mut self, now: u64, session: u32) -> Vec<String> {
        self.claims.retain(|claim| claim.session != session || claim.deadline.is_some());
        let mut told = Vec::new();
        while let Some(at) = self.claims.iter().position(|claim| claim.session == session) {
            told.extend(self.remove(now, at));
        }
        told
    }

    pub(crate) fn expire(&mut self, now: u64) -> Vec<String> {
        self.settle(now, self.limits.expire_locks_max, |_| true)
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.claims.iter().filter_map(|claim| claim.deadline).min()
    }

    /// Of these whose time is over, so many lose what they hold, the earliest first.
    fn settle(
        &mut self,
        now: u64,
        count: usize,
        concerned: impl Fn(&Claim) -> bool,
    ) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..count {
            let due = |claim: &&Claim| {
                concerned(claim) && claim.deadline.is_some_and(|deadline| deadline <= now)
            };
            let first =
                self.claims.iter().filter(due).min_by_key(|claim| (claim.deadline, claim.token));
            let Some(token) = first.map(|claim| claim.token) else { break };
            told.extend(self.lose(now, token));
        }
        told
    }

    fn lose(&mut self, now: u64, token: u64) -> Vec<String> {
        let at = self.claims.iter().position(|claim| claim.token == token).expect("it is there");
        let lost = format!("{}! lost {token}", self.claims[at].session);
        [vec![lost], self.remove(now, at)].concat()
    }

    fn position(&self, session: u32, name: &str, token: u64) -> Option<usize> {
        self.claims
            .iter()
            .position(|claim| (claim.session, &*claim.name, claim.token) == (session, name, token))
    }

    /// The first of those who wait hold what is free then.
    fn remove(&mut self, now: u64, at: usize) -> Vec<String> {
        let gone = self.claims.remove(at);
        let permits = gone.permits as usize;
        let on_it = self.claims.iter_mut().filter(|claim| claim.name == gone.name);
        let next = on_it.take(permits).filter(|claim| claim.deadline.is_none());
        next.map(|claim| {
            claim.deadline = Some(now + claim.ttl);
            format!("{}! granted {}", claim.session, claim.token)
        })
        .collect()
    }
}

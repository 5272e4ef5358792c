//! Stores with a bug each, called by many at once: the check finds every one, and accepts the store
//! that has none.

use workyard_tests::linearizability::{Action, Call, Outcome, check};

/// What a store does wrong now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    LostIncrement,
    StaleRead,
    CasIgnoresTheRevision,
    AddOverwrites,
    DeleteComesBack,
    ReadsExpired,
    DoneTwice,
    TakenTwice,
    PassesTheBound,
}

/// A variable, changed by one call at a time but for its bug.
struct Store {
    bug: Bug,
    random: fastrand::Rng,
    variable: Option<(i64, u64)>,
    expires: Option<u64>,
    /// What it was one write ago.
    before: Option<(i64, u64)>,
    revision: u64,
}

impl Store {
    fn new(bug: Bug, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { bug, random, variable: None, expires: None, before: None, revision: 0 }
    }

    /// Whether the bug shows this time.
    fn slips(&mut self, bug: Bug) -> bool {
        self.bug == bug && self.random.u32(..6) == 0
    }

    fn carry_out(&mut self, now: u64, action: Action) -> Outcome {
        if self.expires.is_some_and(|expires| now >= expires) && !self.slips(Bug::ReadsExpired) {
            self.put(None);
        }
        match action {
            Action::Get if self.slips(Bug::StaleRead) => Outcome::Read(self.before),
            Action::Get => Outcome::Read(self.variable),
            Action::Set(value) => Outcome::Stored(self.store(value)),
            Action::SetFor(value, nanos) => {
                let revision = self.store(value);
                self.expires = Some(now + nanos);
                Outcome::Stored(revision)
            }
            Action::Add(value) => {
                let done = self.variable.is_none() || self.slips(Bug::AddOverwrites);
                if done {
                    self.store(value);
                }
                Outcome::Added(done)
            }
            Action::Cas(expected, value) => {
                let current = self.variable.map(|(_, revision)| revision);
                let forced = current.is_some() && self.slips(Bug::CasIgnoresTheRevision);
                if forced || current == Some(expected) {
                    return Outcome::Stored(self.store(value));
                }
                Outcome::Conflict(current)
            }
            Action::Increment(by) => {
                let expires = self.expires;
                let sum = self.variable.map_or(0, |(value, _)| value) + by;
                if !self.slips(Bug::LostIncrement) {
                    self.store(sum);
                    self.expires = expires;
                }
                Outcome::Sum(sum)
            }
            Action::Take => {
                let was = self.variable.map(|(value, _)| value);
                if !self.slips(Bug::TakenTwice) {
                    self.put(None);
                }
                Outcome::Was(was)
            }
            Action::Within(by, most) => {
                let current = self.variable.map_or(0, |(value, _)| value);
                if current + by > most && !self.slips(Bug::PassesTheBound) {
                    return Outcome::OutOfBounds(current);
                }
                self.carry_out(now, Action::Increment(by))
            }
            Action::Max(_) | Action::Swap(_) | Action::DeleteAt(_) => {
                unreachable!("nobody here asks for it")
            }
            Action::Delete => {
                let existed = self.variable.is_some();
                if !self.slips(Bug::DeleteComesBack) {
                    self.put(None);
                }
                Outcome::Deleted(existed)
            }
        }
    }

    fn store(&mut self, value: i64) -> u64 {
        self.revision += 1;
        self.put(Some((value, self.revision)));
        self.revision
    }

    fn put(&mut self, variable: Option<(i64, u64)>) {
        self.before = std::mem::replace(&mut self.variable, variable);
        self.expires = None;
    }
}

/// What eight callers saw of one variable; every twentieth answer was lost.
fn history(bug: Bug, seed: u64) -> Vec<Call> {
    const CALLS: i64 = 800;
    let mut store = Store::new(bug, seed);
    let mut random = fastrand::Rng::with_seed(seed + 1);
    let mut free = [0; 8];
    let mut now = 0;
    let mut calls = Vec::new();
    for number in 1..=CALLS {
        now += random.u64(1..2_000_000);
        let caller = random.usize(..free.len());
        let called = free[caller].max(now.saturating_sub(random.u64(..2_000_000)));
        let action = action(&mut random, number * 100, store.revision);
        now = now.max(called);
        let mut outcome = store.carry_out(now, action);
        if bug == Bug::DoneTwice && random.u32(..6) == 0 {
            outcome = store.carry_out(now, action);
        }
        let returned = now + random.u64(..2_000_000);
        free[caller] = returned + 1;
        if random.u32(..20) == 0 {
            outcome = Outcome::Unknown;
        }
        calls.push(Call { caller, called, returned, action, outcome });
    }
    calls
}

fn action(random: &mut fastrand::Rng, value: i64, revision: u64) -> Action {
    match random.u32(..10) {
        0..2 => Action::Get,
        2 => Action::Set(value),
        3 => Action::SetFor(value, 2_000_000),
        4 => Action::Add(value),
        5 => Action::Cas(revision.saturating_sub(random.u64(..2)).max(1), value),
        6 => Action::Increment(random.i64(1..9)),
        7 => Action::Within(random.i64(1..9), value - 200),
        8 => Action::Take,
        _ => Action::Delete,
    }
}

#[test]
fn what_a_store_without_bugs_does_is_accepted() {
    for seed in 0..50 {
        if let Err(finding) = check(history(Bug::None, seed)) {
            panic!("seed {seed}: {finding}");
        }
    }
}

#[test]
fn every_bug_is_found() {
    const SEEDS: u64 = 20;
    for bug in [
        Bug::LostIncrement,
        Bug::StaleRead,
        Bug::CasIgnoresTheRevision,
        Bug::AddOverwrites,
        Bug::DeleteComesBack,
        Bug::ReadsExpired,
        Bug::DoneTwice,
        Bug::TakenTwice,
        Bug::PassesTheBound,
    ] {
        let findings = (0..SEEDS).filter_map(|seed| check(history(bug, seed)).err());
        let sizes: Vec<_> = findings.map(|finding| finding.calls.len()).collect();
        assert!(sizes.len() as u64 * 4 > SEEDS, "{bug:?}: found {} of {SEEDS}", sizes.len());
        assert!(sizes.iter().all(|size| *size < 800), "{bug:?}: nothing was left out: {sizes:?}");
    }
}

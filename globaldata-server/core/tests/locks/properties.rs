//! Whatever is asked, locks do as their model does, and keep their promises.

use crate::model::Model;
use crate::room::{Act, Room, fenced, lock, renew, unlock};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use workyard_globaldata_core::StoreLimits;

#[derive(Clone, Debug)]
enum Op {
    /// Name, permits, ttl, whether it waits.
    Lock(u32, &'static str, u32, u64, bool),
    /// Which of the claims so far, counted from the latest.
    Unlock(u32, &'static str, usize),
    Renew(u32, Vec<(&'static str, usize, u64)>),
    Close(u32),
    Fenced(u32, &'static str, usize),
    Advance(u64),
    Expire,
}

/// Room and model, and what an onlooker knows who only hears what is said.
struct Harness {
    room: Room,
    model: Model,
    now: u64,
    /// Of each name, the token that was granted last.
    granted: BTreeMap<String, u64>,
    latest: u64,
}

impl Harness {
    fn new(limits: &StoreLimits) -> Self {
        let (room, model) = (Room::new(limits.clone()), Model::new(limits.clone()));
        Self { room, model, now: 0, granted: BTreeMap::new(), latest: 0 }
    }

    fn run(&mut self, op: &Op) {
        let now = self.now;
        let (heard, expected) = match op {
            Op::Lock(session, name, permits, ttl, wait) => {
                let act = Act::Ask(lock(name, *permits, *ttl, *wait));
                let heard = self.room.act(now, *session, act);
                (heard, self.model.lock(now, *session, (name, *permits, *ttl, *wait)))
            }
            Op::Unlock(session, name, back) => {
                let token = self.token(*back);
                let heard = self.room.act(now, *session, Act::Ask(unlock(name, token)));
                (heard, self.model.unlock(now, *session, name, token))
            }
            Op::Renew(session, renewals) => {
                let renewals: Vec<_> = renewals
                    .iter()
                    .map(|(name, back, ttl)| (*name, self.token(*back), *ttl))
                    .collect();
                let act = Act::Ask(renew(renewals.iter().copied()));
                let heard = self.room.act(now, *session, act);
                (heard, self.model.renew(now, *session, &renewals))
            }
            Op::Fenced(session, name, back) => {
                let token = self.token(*back);
                let heard = self.room.act(now, *session, Act::Ask(fenced(name, token)));
                (heard, self.model.fenced(now, *session, name, token))
            }
            Op::Close(session) => {
                (self.room.act(now, *session, Act::Close), self.model.close(now, *session))
            }
            Op::Expire => (self.room.act(now, 0, Act::Expire), self.model.expire(now)),
            Op::Advance(millis) => {
                self.now += millis;
                return;
            }
        };
        let heard: Vec<String> = heard.iter().map(|line| without_text(line)).collect();
        assert_eq!(heard, expected, "{op:?} at {now}");
        self.check(&heard);
    }

    fn token(&self, back: usize) -> u64 {
        self.latest.saturating_sub(back as u64)
    }

    fn check(&mut self, heard: &[String]) {
        let census = self.room.store.lock_census();
        assert_eq!(census.claims, self.model.claims.len());
        assert_eq!(self.room.next_deadline(), self.model.next_deadline());
        let mut holders = BTreeMap::<&str, (u32, u32)>::new();
        for claim in &self.model.claims {
            let (held, waiting) = holders.entry(&claim.name).or_default();
            match claim.deadline {
                Some(_) => *held += 1,
                None => *waiting += 1,
            }
            assert!(*held <= claim.permits, "{} is held too often", claim.name);
        }
        assert_eq!(census.locks, holders.len());
        self.check_growth(heard);
    }

    /// A lock that is held later is held with a greater token. An answer is heard before what happened on
    /// the way to it.
    fn check_growth(&mut self, heard: &[String]) {
        let words = heard.iter().map(|line| line.split(' ').collect::<Vec<_>>());
        let number = |words: &[&str]| words[2].parse::<u64>().expect("a token");
        let mut granted = Vec::new();
        for words in words {
            match words[1] {
                "queued" => self.latest = number(&words),
                "locked" | "granted" => granted.push(number(&words)),
                _ => {}
            }
        }
        granted.sort_unstable();
        for token in granted {
            self.latest = self.latest.max(token);
            let claim = self.model.claims.iter().find(|claim| claim.token == token);
            let claim = claim.expect("what is granted in a step is not lost in it");
            let before = self.granted.insert(claim.name.clone(), token);
            assert!(before < Some(token), "{token} after {before:?}");
        }
    }

    /// When everybody has left, nothing is left.
    fn finish(&mut self) {
        for session in SESSIONS {
            self.run(&Op::Close(session));
        }
        self.room.assert_empty();
    }
}

/// Texts are checked by the dialogues; the model has none.
fn without_text(line: &str) -> String {
    line.split_once(": ").map_or(line, |(reason, _)| reason).to_owned()
}

const SESSIONS: std::ops::Range<u32> = 1..5;

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c"])
}

/// Mostly the same for a name, so that most agree.
fn lock_op() -> impl Strategy<Value = Op> {
    (SESSIONS, name(), 0..20u32, 1..30u64, any::<bool>()).prop_map(
        |(session, name, odd, ttl, wait)| {
            let permits = match (name, odd) {
                (_, 0) => 3,
                ("a", _) => 1,
                _ => 2,
            };
            Op::Lock(session, name, permits, ttl, wait)
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => lock_op(),
        4 => (SESSIONS, name(), 0..6usize).prop_map(|(who, name, back)| Op::Unlock(who, name, back)),
        3 => (SESSIONS, vec((name(), 0..6usize, 1..30u64), 0..4))
            .prop_map(|(who, renewals)| Op::Renew(who, renewals)),
        4 => (SESSIONS, name(), 0..6usize).prop_map(|(who, name, back)| Op::Fenced(who, name, back)),
        1 => SESSIONS.prop_map(Op::Close),
        4 => (1..15u64).prop_map(Op::Advance),
        3 => Just(Op::Expire),
    ]
}

fn limits() -> impl Strategy<Value = StoreLimits> {
    let tight = StoreLimits {
        locks_max: 2,
        lock_claims_max: 6,
        lock_claims_per_session_max: 3,
        ..StoreLimits::default()
    };
    let slow = StoreLimits { expire_locks_max: 1, ..StoreLimits::default() };
    prop_oneof![Just(StoreLimits::default()), Just(tight), Just(slow)]
}

proptest! {
    #[test]
    fn locks_do_as_their_model_does(limits in limits(), ops in vec(op(), 0..120)) {
        let mut harness = Harness::new(&limits);
        for op in &ops {
            harness.run(op);
        }
        harness.finish();
    }
}

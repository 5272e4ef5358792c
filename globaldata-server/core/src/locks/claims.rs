//! Which claims a session has, so that none is left when it is gone.

use super::names::Slot;
use std::collections::BTreeMap;
use workyard_engine::{BySession, SessionId};

/// The claims of all sessions, in the order of their numbers.
#[derive(Default)]
pub(super) struct Claims {
    sessions: BySession<BTreeMap<u64, Slot>>,
    count: usize,
}

impl Claims {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How many the session has.
    pub(super) fn of(&self, session: SessionId) -> usize {
        self.sessions.get(session).map_or(0, BTreeMap::len)
    }

    pub(super) fn insert(&mut self, session: SessionId, token: u64, slot: Slot) {
        self.sessions.get_or_default(session).insert(token, slot);
        self.count += 1;
    }

    pub(super) fn remove(&mut self, session: SessionId, token: u64) {
        let claims = self.sessions.get_mut(session).expect("a session with a claim is known");
        claims.remove(&token).expect("each claim is its session's");
        if claims.is_empty() {
            self.sessions.remove(session);
        }
        self.count -= 1;
    }

    /// Takes all of them away.
    pub(super) fn take(&mut self, session: SessionId) -> BTreeMap<u64, Slot> {
        let claims = self.sessions.remove(session).unwrap_or_default();
        self.count -= claims.len();
        claims
    }
}

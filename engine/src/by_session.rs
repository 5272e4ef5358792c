//! State that some sessions have and most do not.

use crate::SessionId;

/// Finds a session's state by its slot. Sessions without any cost one pointer.
#[derive(Debug)]
pub struct BySession<T> {
    slots: Vec<Option<Box<Owned<T>>>>,
    count: usize,
}

#[derive(Debug)]
struct Owned<T> {
    owner: SessionId,
    state: T,
}

impl<T: Default> BySession<T> {
    /// Nobody has any state.
    #[must_use]
    pub fn new() -> Self {
        Self { slots: Vec::new(), count: 0 }
    }

    /// How many sessions have state.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether exactly this session has state. It may be gone, and its slot another one's.
    #[must_use]
    pub fn has(&self, session: SessionId) -> bool {
        let owned = self.slots.get(session.slot()).and_then(Option::as_deref);
        owned.is_some_and(|owned| owned.owner == session)
    }

    /// All states with their sessions, in the order of the slots.
    pub fn iter(&self) -> impl Iterator<Item = (SessionId, &T)> {
        self.slots.iter().flatten().map(|owned| (owned.owner, &owned.state))
    }

    /// The session's state, if it has any.
    ///
    /// # Panics
    /// When the state in its slot is another session's, which was not closed then: so do all that follow.
    #[must_use]
    pub fn get(&self, session: SessionId) -> Option<&T> {
        let owned = self.slots.get(session.slot())?.as_deref()?;
        owned.check(session);
        Some(&owned.state)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, session: SessionId) -> Option<&mut T> {
        let owned = self.slots.get_mut(session.slot())?.as_deref_mut()?;
        owned.check(session);
        Some(&mut owned.state)
    }

    /// The session's state, a new one if it has none.
    pub fn get_or_default(&mut self, session: SessionId) -> &mut T {
        if self.slots.len() <= session.slot() {
            self.slots.resize_with(session.slot() + 1, || None);
        }
        let owned = self.slots[session.slot()].get_or_insert_with(|| {
            self.count += 1;
            Box::new(Owned { owner: session, state: T::default() })
        });
        owned.check(session);
        &mut owned.state
    }

    /// Takes the session's state away.
    pub fn remove(&mut self, session: SessionId) -> Option<T> {
        let owned = self.slots.get_mut(session.slot())?.take()?;
        owned.check(session);
        self.count -= 1;
        Some(owned.state)
    }
}

impl<T: Default> Default for BySession<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Owned<T> {
    fn check(&self, session: SessionId) {
        assert_eq!(self.owner, session, "a session is closed before its slot is used again");
    }
}

//! Sessions in the order in which they joined, and whose turn it is.

use smallvec::SmallVec;
use std::mem::replace;
use workyard_engine::SessionId;

/// Below this many, memory is not worth giving back.
const SHRINK_COUNT_MIN: usize = 8;

/// Above every serial: after it, the first is next.
const BEFORE_THE_FIRST: u64 = u64::MAX;

/// An ordered set of sessions that each joined under a serial of its own.
///
/// The list is sorted by serial, because serials only grow. Who leaves is found by binary search and
/// leaves an empty place; when more than half of the places are empty they are closed up. So a
/// hundred thousand members that leave one by one cost little each, and the order stays.
#[derive(Debug, Default)]
pub(crate) struct Members {
    places: SmallVec<[Place; 1]>,
    /// How many of the places have a member.
    taken: u32,
    /// Where the member that was last in turn stood then.
    turn_at: u32,
    /// The serial of the member that was last in turn.
    turn: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    serial: u64,
    /// [`NOBODY`] once the member has left.
    session: SessionId,
}

/// No session's id: no table has so many slots.
const NOBODY: SessionId = SessionId::new(u32::MAX, u32::MAX);

impl Members {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.taken as usize
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everybody, in the order of joining.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.places.iter().map(|place| place.session).filter(|session| *session != NOBODY)
    }

    /// Everybody with the serial of joining, in that order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, SessionId)> {
        self.places.iter().filter_map(Place::entry)
    }

    /// Adds a session behind all others: `serial` is above every one before.
    pub(crate) fn join(&mut self, serial: u64, session: SessionId) {
        debug_assert!(self.places.last().is_none_or(|last| last.serial < serial));
        self.places.push(Place { serial, session });
        self.taken += 1;
    }

    /// Removes the session that joined under this serial.
    pub(crate) fn leave(&mut self, serial: u64) {
        let at = self.place_of(serial);
        let left = replace(&mut self.places[at].session, NOBODY);
        assert_ne!(left, NOBODY, "a member leaves once");
        self.taken -= 1;
        if self.len() * 2 < self.places.len() {
            self.close_up();
        }
    }

    /// The same, in a row where the turn moves on with its holder gone: if this was the member last in
    /// turn, the one that followed counts as having been it. After the last follows the first.
    pub(crate) fn leave_passing_on(&mut self, serial: u64) {
        if serial == self.turn {
            let after = self.places[self.place_of(serial) + 1..].iter();
            let follower = after.filter_map(Place::entry).next();
            self.turn = follower.map_or(BEFORE_THE_FIRST, |(serial, _)| serial);
        }
        self.leave(serial);
    }

    /// Has the first member count as the one last in turn, if none has been yet.
    pub(crate) fn begin_behind_the_first(&mut self) {
        if self.turn == 0 {
            let first = self.entries().next();
            self.turn = first.map_or(0, |(serial, _)| serial);
        }
    }

    /// Whose turn it is: the member after the one that was last in turn, and after the last member
    /// the first. Members without room are passed over while another one has room.
    pub(crate) fn next_turn(
        &mut self,
        has_room: impl FnMut(SessionId) -> bool,
    ) -> Option<SessionId> {
        self.next_with_room(has_room).or_else(|| self.next_with_room(|_| true))
    }

    /// The same, and nobody when no member has room.
    pub(crate) fn next_with_room(
        &mut self,
        mut has_room: impl FnMut(SessionId) -> bool,
    ) -> Option<SessionId> {
        let next = self.behind_the_turn();
        let mut row = (next..self.places.len()).chain(0..next);
        let (at, serial, session) = row.find_map(|at| {
            let (serial, session) = self.places[at].entry()?;
            has_room(session).then_some((at, serial, session))
        })?;
        self.turn_at = u32::try_from(at).unwrap_or_default();
        self.turn = serial;
        Some(session)
    }

    /// The serial of the member that was last in turn, 0 at first.
    pub(crate) fn turn(&self) -> u64 {
        self.turn
    }

    /// Goes on after the member of this serial.
    pub(crate) fn set_turn(&mut self, serial: u64) {
        self.turn = serial;
    }

    /// Replaces everybody by these, given in the order of their serials.
    pub(crate) fn replace(&mut self, entries: impl IntoIterator<Item = (u64, SessionId)>) {
        self.places.clear();
        self.taken = 0;
        for (serial, session) in entries {
            self.join(serial, session);
        }
    }

    /// The place behind that of the member last in turn, or behind where it would be.
    fn behind_the_turn(&self) -> usize {
        let at = self.turn_at as usize;
        match self.places.get(at) {
            Some(place) if place.serial == self.turn => at + 1,
            _ => self.places.partition_point(|place| place.serial <= self.turn),
        }
    }

    fn place_of(&self, serial: u64) -> usize {
        self.places
            .binary_search_by_key(&serial, |place| place.serial)
            .expect("a member leaves under the serial it joined under")
    }

    fn close_up(&mut self) {
        self.places.retain(|place| place.session != NOBODY);
        if self.places.capacity() / 4 > self.places.len().max(SHRINK_COUNT_MIN) {
            self.places.shrink_to_fit();
        }
    }
}

impl Place {
    fn entry(&self) -> Option<(u64, SessionId)> {
        (self.session != NOBODY).then_some((self.serial, self.session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(slot: u64) -> SessionId {
        SessionId::new(u32::try_from(slot).unwrap(), 0)
    }

    fn members(serials: impl IntoIterator<Item = u64>) -> Members {
        let mut members = Members::default();
        for serial in serials {
            members.join(serial, session(serial));
        }
        members
    }

    fn serials(members: &Members) -> Vec<u64> {
        members.entries().map(|(serial, _)| serial).collect()
    }

    #[test]
    fn who_leaves_is_gone_and_the_order_stays() {
        let mut members = members([1, 2, 5, 7, 9]);
        members.leave(5);
        assert_eq!((members.len(), members.places.len()), (4, 5));
        members.leave(1);
        assert_eq!(serials(&members), [2, 7, 9]);
        members.leave(9);
        assert_eq!((members.places.len(), members.len()), (2, 2), "closed up");
        members.join(12, session(12));
        assert_eq!(serials(&members), [2, 7, 12]);
        for serial in [7, 12, 2] {
            members.leave(serial);
        }
        assert!(members.is_empty() && members.places.is_empty());
    }

    #[test]
    fn turns_go_round_and_outlive_those_who_leave() {
        let mut members = members([1, 2, 3]);
        let next = |members: &mut Members| members.next_turn(|_| true).unwrap().slot();
        assert_eq!([(); 4].map(|()| next(&mut members)), [1, 2, 3, 1]);
        members.leave(2);
        members.leave(1);
        members.join(4, session(4));
        assert_eq!([(); 3].map(|()| next(&mut members)), [3, 4, 3]);
        assert_eq!(Members::default().next_turn(|_| true), None);
    }

    #[test]
    fn a_turn_that_is_passed_on_skips_one_and_begins_again_after_the_last() {
        let next = |members: &mut Members| members.next_turn(|_| true).unwrap().slot();
        let mut row = members([1, 2, 3, 4]);
        row.begin_behind_the_first();
        assert_eq!(next(&mut row), 2);
        row.leave_passing_on(2);
        assert_eq!([(); 3].map(|()| next(&mut row)), [4, 1, 3]);
        row.leave_passing_on(1);
        assert_eq!(next(&mut row), 4);
        row.leave_passing_on(4);
        row.join(5, session(5));
        assert_eq!([(); 2].map(|()| next(&mut row)), [3, 5]);
        row.leave_passing_on(5);
        row.leave_passing_on(3);
        assert_eq!(row.next_turn(|_| true), None);
    }

    #[test]
    fn without_room_one_is_passed_over_unless_nobody_has_any() {
        let mut members = members([1, 2, 3]);
        let only_three = |session: SessionId| session.slot() == 3;
        assert_eq!(members.next_turn(only_three), Some(session(3)));
        assert_eq!(members.next_turn(only_three), Some(session(3)));
        assert_eq!(members.next_turn(|_| false), Some(session(1)));
        assert_eq!(members.next_turn(|_| false), Some(session(2)));
        assert_eq!(members.next_with_room(only_three), Some(session(3)));
        assert_eq!(members.next_with_room(|_| false), None);
        assert_eq!(members.next_turn(|_| true), Some(session(1)), "nobody had the turn");
    }

    #[test]
    fn a_hundred_thousand_may_leave_in_any_order() {
        let all = || members(1..=100_000);
        let mut forwards = all();
        (1..=100_000).for_each(|serial| forwards.leave(serial));
        let mut backwards = all();
        (1..=100_000).rev().for_each(|serial| backwards.leave(serial));
        let mut scattered = all();
        (1..=100_000).for_each(|step| scattered.leave(1 + step * 7919 % 100_000));
        assert!(forwards.is_empty() && backwards.is_empty() && scattered.is_empty());
    }
}

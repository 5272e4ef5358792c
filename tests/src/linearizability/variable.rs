//! What a variable may be, and what a call makes of it: the specification that histories are held to.

use super::call::{Action, Call, Outcome};

/// The server counts milliseconds: what lives for so long may end up to one earlier, by its clock.
const TICK_NANOS: u64 = 1_000_000;

/// What is known of a variable at one point of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing is: the order begins in the middle.
    Anything,
    /// There is none. Its next revision is above this one.
    Absent(u64),
    /// There is one.
    Present {
        /// Its value.
        value: i64,
        /// Its revision.
        revision: Revision,
        /// It is there before the first of these instants, in nanoseconds, and gone from the second
        /// on; nothing for one that does not expire.
        expires: Option<(u64, u64)>,
    },
}

/// What is known of a variable's revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Somebody was told.
    Exactly(u64),
    /// Nobody was, but it is later than this one.
    Above(u64),
}

impl State {
    /// What the variable may be after a call that came to what it came to; nothing if it cannot have
    /// come to that.
    pub fn after(self, call: &Call) -> impl Iterator<Item = Self> {
        self.meanwhile(call).into_iter().flatten().filter_map(|state| state.applied(call))
    }

    /// The variable as the call may find it: as it was, or gone because its time is over.
    fn meanwhile(self, call: &Call) -> [Option<Self>; 2] {
        let Self::Present { revision, expires: Some((first, last)), .. } = self else {
            return [Some(self), None];
        };
        let there = (call.called < last).then_some(self);
        let gone = (call.returned >= first).then_some(Self::Absent(revision.least()));
        [there, gone]
    }

    fn applied(self, call: &Call) -> Option<Self> {
        match (call.action, call.outcome) {
            (Action::Get, Outcome::Read(read)) => self.read(read),
            (Action::Get, Outcome::Unknown) => Some(self),
            (Action::Set(value), Outcome::Stored(revision)) => self.stored(value, Some(revision)),
            (Action::Set(value), Outcome::Unknown) => self.stored(value, None),
            (Action::SetFor(value, nanos), Outcome::Stored(revision)) => {
                Some(self.stored(value, Some(revision))?.expiring(call, nanos))
            }
            (Action::SetFor(value, nanos), Outcome::Unknown) => {
                Some(self.stored(value, None)?.expiring(call, nanos))
            }
            (Action::Add(value), Outcome::Added(true) | Outcome::Unknown) => {
                self.is_absent_or_unknown().then(|| self.stored(value, None)).flatten()
            }
            (Action::Add(_), Outcome::Added(false)) => {
                (!matches!(self, Self::Absent(_))).then_some(self)
            }
            (Action::Cas(expected, value), Outcome::Stored(revision)) => {
                self.expected(expected)?.stored(value, Some(revision))
            }
            (Action::Cas(expected, value), Outcome::Unknown) => {
                self.expected(expected)?.stored(value, None)
            }
            (Action::Cas(expected, _), Outcome::Conflict(current)) => {
                self.in_conflict(expected, current)
            }
            (Action::Increment(by), Outcome::Sum(sum)) => self.incremented(by, Some(sum)),
            (Action::Increment(by), Outcome::Unknown) => self.incremented(by, None),
            (Action::Max(value), Outcome::Sum(sum)) => self.raised(value, Some(sum)),
            (Action::Max(value), Outcome::Unknown) => self.raised(value, None),
            (Action::Within(by, most), Outcome::Sum(sum)) => {
                self.incremented(by, Some(sum)).filter(|_| sum <= most)
            }
            (Action::Within(by, most), Outcome::OutOfBounds(present)) => {
                self.is(present).filter(|_| present + by > most)
            }
            (Action::Within(by, most), Outcome::Unknown) => {
                self.incremented(by, None).filter(|state| !state.is_above(most))
            }
            (Action::Swap(value), Outcome::Was(was)) => self.was(was)?.stored(value, None),
            (Action::Swap(value), Outcome::Unknown) => self.stored(value, None),
            (Action::Delete, Outcome::Deleted(existed)) => self.deleted(Some(existed)),
            (Action::DeleteAt(expected), Outcome::Deleted(true)) => {
                self.at(expected)?.deleted(Some(true))
            }
            (Action::DeleteAt(expected), Outcome::Conflict(current)) => {
                self.in_conflict(expected, current)
            }
            (Action::DeleteAt(expected), Outcome::Unknown) => self.at(expected)?.deleted(None),
            (Action::Take, Outcome::Was(was)) => self.was(was)?.deleted(None),
            (Action::Delete | Action::Take, Outcome::Unknown) => self.deleted(None),
            (action, outcome) => panic!("{action} cannot come to {outcome}"),
        }
    }

    fn read(self, read: Option<(i64, u64)>) -> Option<Self> {
        match (self, read) {
            (Self::Anything, None) => Some(Self::Absent(0)),
            (Self::Anything, Some((value, revision))) => {
                let revision = Revision::Exactly(revision);
                Some(Self::Present { value, revision, expires: Some((0, u64::MAX)) })
            }
            (Self::Absent(_), None) => Some(self),
            (Self::Present { value, .. }, Some((read, revision))) if value == read => {
                self.at(revision)
            }
            _ => None,
        }
    }

    /// With another value, for ever.
    fn stored(self, value: i64, revision: Option<u64>) -> Option<Self> {
        let least = self.least();
        let revision = match revision {
            Some(revision) => (revision > least).then_some(Revision::Exactly(revision))?,
            None => Revision::Above(least),
        };
        Some(Self::Present { value, revision, expires: None })
    }

    /// For so long from some instant of the call on.
    fn expiring(self, call: &Call, nanos: u64) -> Self {
        let Self::Present { value, revision, .. } = self else { return self };
        let first = (call.called + nanos).saturating_sub(TICK_NANOS);
        let last = call.returned.saturating_add(nanos);
        Self::Present { value, revision, expires: Some((first, last)) }
    }

    /// The same, if it can be as a cas expects it.
    fn expected(self, revision: u64) -> Option<Self> {
        if revision == 0 { self.is_absent_or_unknown().then_some(self) } else { self.at(revision) }
    }

    /// The same, if its revision can be this one, which is then known.
    fn at(self, told: u64) -> Option<Self> {
        match self {
            Self::Anything => Some(self),
            Self::Absent(_) => None,
            Self::Present { value, revision, expires } => {
                let can_be = match revision {
                    Revision::Exactly(exactly) => told == exactly,
                    Revision::Above(least) => told > least,
                };
                let revision = Revision::Exactly(told);
                can_be.then_some(Self::Present { value, revision, expires })
            }
        }
    }

    fn in_conflict(self, expected: u64, current: Option<u64>) -> Option<Self> {
        match (self, current) {
            (Self::Anything, None) if expected != 0 => Some(Self::Absent(0)),
            (Self::Absent(_), None) if expected != 0 => Some(self),
            (Self::Anything | Self::Present { .. }, Some(current)) if current != expected => {
                self.at(current)
            }
            _ => None,
        }
    }

    fn incremented(self, by: i64, told: Option<i64>) -> Option<Self> {
        let (sum, expires) = match self {
            Self::Anything => match told {
                Some(sum) => (sum, Some((0, u64::MAX))),
                None => return Some(Self::Anything),
            },
            Self::Absent(_) => (by, None),
            Self::Present { value, expires, .. } => (value + by, expires),
        };
        if told.is_some_and(|told| told != sum) {
            return None;
        }
        let revision = Revision::Above(self.least());
        Some(Self::Present { value: sum, revision, expires })
    }

    fn raised(self, least: i64, told: Option<i64>) -> Option<Self> {
        let raised = match self {
            Self::Present { value, .. } if value >= least => self,
            Self::Absent(_) | Self::Present { .. } => {
                let (revision, expires) = (Revision::Above(self.least()), self.expires());
                Self::Present { value: least, revision, expires }
            }
            Self::Anything => match told {
                Some(sum) if sum >= least => Self::anything_of(sum),
                Some(_) => return None,
                None => return Some(self),
            },
        };
        told.is_none_or(|told| raised.is(told).is_some()).then_some(raised)
    }

    /// The same, if it can be this to whoever adds to it.
    fn is(self, told: i64) -> Option<Self> {
        let is = match self {
            Self::Anything => true,
            Self::Absent(_) => told == 0,
            Self::Present { value, .. } => value == told,
        };
        is.then_some(self)
    }

    /// The same, if it can have been this to whoever replaced it.
    fn was(self, told: Option<i64>) -> Option<Self> {
        let was = match (self, told) {
            (Self::Anything, _) | (Self::Absent(_), None) => true,
            (Self::Present { value, .. }, Some(told)) => value == told,
            _ => false,
        };
        was.then_some(self)
    }

    fn is_above(self, most: i64) -> bool {
        matches!(self, Self::Present { value, .. } if value > most)
    }

    /// What has this value, and nobody knows for how long.
    fn anything_of(value: i64) -> Self {
        Self::Present { value, revision: Revision::Above(0), expires: Some((0, u64::MAX)) }
    }

    fn expires(self) -> Option<(u64, u64)> {
        match self {
            Self::Present { expires, .. } => expires,
            Self::Anything | Self::Absent(_) => None,
        }
    }

    fn deleted(self, existed: Option<bool>) -> Option<Self> {
        let exists = match self {
            Self::Anything => existed,
            Self::Absent(_) => Some(false),
            Self::Present { .. } => Some(true),
        };
        (existed.is_none() || existed == exists).then(|| Self::Absent(self.least()))
    }

    fn is_absent_or_unknown(self) -> bool {
        !matches!(self, Self::Present { .. })
    }

    /// The latest revision that the variable is known to have had or passed.
    fn least(self) -> u64 {
        match self {
            Self::Anything => 0,
            Self::Absent(least) => least,
            Self::Present { revision, .. } => revision.least(),
        }
    }
}

impl Revision {
    fn least(self) -> u64 {
        match self {
            Self::Exactly(revision) | Self::Above(revision) => revision,
        }
    }
}

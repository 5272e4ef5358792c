//! How much is watched: topics, and what they take.

use crate::limits::WATCH_OVERHEAD_BYTES;
use std::iter::Sum;
use std::ops::{Add, AddAssign, SubAssign};
use workyard_protocol::globaldata::WatchTopic;

/// What a session watches, or all sessions do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) topics: usize,
    pub(crate) bytes: usize,
}

impl Load {
    /// One topic. Its name is kept twice: by its session, and where changes look for those who watch.
    pub(super) fn of(topic: WatchTopic<'_>) -> Self {
        let bytes = 2 * topic.name().as_bytes().len() + WATCH_OVERHEAD_BYTES;
        Self { topics: 1, bytes }
    }

    pub(super) fn times(self, count: usize) -> Self {
        Self { topics: self.topics * count, bytes: self.bytes * count }
    }
}

impl Add for Load {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { topics: self.topics + more.topics, bytes: self.bytes + more.bytes }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, less: Self) {
        self.topics -= less.topics;
        self.bytes -= less.bytes;
    }
}

impl Sum for Load {
    fn sum<I: Iterator<Item = Self>>(loads: I) -> Self {
        loads.fold(Self::default(), Add::add)
    }
}

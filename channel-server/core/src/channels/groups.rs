//! Names of queue groups, each stored once however many subscriptions are in it.

use crate::named::Named;
use std::num::NonZeroU32;
use workyard_protocol::GroupName;

/// Stands for a group's name. The same name is the same group on every channel and pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GroupId(NonZeroU32);

/// The names in use, with the number of subscriptions in each group.
#[derive(Debug)]
pub(crate) struct Groups(Named<u32>);

impl Groups {
    pub(crate) fn new() -> Self {
        Self(Named::new())
    }

    /// How many names are in use.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes of these names together.
    pub(crate) fn name_bytes(&self) -> usize {
        self.0.name_bytes()
    }

    /// The group of this name, if it is in use.
    pub(crate) fn find(&self, name: GroupName<'_>) -> Option<GroupId> {
        self.0.find(name.as_bytes()).map(GroupId::at)
    }

    /// Counts one more subscription.
    pub(crate) fn join(&mut self, name: GroupName<'_>) -> GroupId {
        let at = self.0.find(name.as_bytes()).unwrap_or_else(|| self.0.insert(name.as_bytes(), 0));
        self.0[at] += 1;
        GroupId::at(at)
    }

    /// Counts one subscription less, and forgets the name after the last.
    pub(crate) fn leave(&mut self, group: GroupId) {
        let at = group.index();
        self.0[at] -= 1;
        if self.0[at] == 0 {
            self.0.remove(at);
        }
    }

    /// The group's name.
    pub(crate) fn name(&self, group: GroupId) -> GroupName<'_> {
        GroupName::new(self.0.name(group.index())).expect("it was a group's name when it came")
    }
}

impl GroupId {
    fn at(index: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    fn index(self) -> u32 {
        self.0.get() - 1
    }
}

//! The members of each group of a topic, in no more room than a pointer where there are no groups.

use super::GroupId;
use crate::members::Members;
use std::collections::{BTreeMap, btree_map};

/// Members by group, in the order of the groups.
#[derive(Debug, Default)]
pub(crate) struct ByGroup(Option<Box<Map>>);

type Map = BTreeMap<GroupId, Members>;

impl ByGroup {
    /// Whether there are no groups.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |map| map.len())
    }

    /// The members of a group, if it is here.
    pub(crate) fn get(&self, group: GroupId) -> Option<&Members> {
        self.0.as_ref()?.get(&group)
    }

    /// The same, to change them.
    pub(crate) fn get_mut(&mut self, group: GroupId) -> Option<&mut Members> {
        self.0.as_mut()?.get_mut(&group)
    }

    /// The same, of a group that is here from now on.
    pub(crate) fn get_or_default(&mut self, group: GroupId) -> &mut Members {
        self.0.get_or_insert_default().entry(group).or_default()
    }

    /// Forgets a group.
    pub(crate) fn remove(&mut self, group: GroupId) {
        if let Some(map) = &mut self.0 {
            map.remove(&group);
            self.0.take_if(|map| map.is_empty());
        }
    }

    /// Forgets all groups.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// All groups with their members.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (GroupId, &Members)> {
        let groups = self.0.iter().flat_map(|map| map.iter());
        groups.map(|(group, members)| (*group, members))
    }
}

impl<'a> IntoIterator for &'a mut ByGroup {
    type Item = (&'a GroupId, &'a mut Members);
    type IntoIter = btree_map::IterMut<'a, GroupId, Members>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.as_mut().map(|map| map.iter_mut()).unwrap_or_default()
    }
}

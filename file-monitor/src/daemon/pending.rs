//! What was changed and not acted upon with success.

use crate::change::ChangeSet;

/// Changes that wait, and whether somebody knows of them already.
#[derive(Debug, Default)]
pub(super) struct Pending {
    set: ChangeSet,
    /// Whether an action was begun with these changes.
    begun: bool,
}

impl Pending {
    pub(super) fn set(&self) -> &ChangeSet {
        &self.set
    }

    /// Takes in what has changed since. Who was told of a file that had come is told that it is gone.
    pub(super) fn merge(&mut self, later: ChangeSet) {
        match self.begun {
            true => self.set.follow(later),
            false => self.set.merge(later),
        }
    }

    /// An action begins.
    pub(super) fn begin(&mut self) {
        self.begun = true;
    }

    /// All was done.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, ChangeKind};
    use std::path::Path;

    fn set(kind: ChangeKind) -> ChangeSet {
        ChangeSet::from_iter([Change { kind, path: "/new".into() }])
    }

    #[test]
    fn what_came_and_went_is_nothing_unless_somebody_was_told_that_it_came() {
        let mut pending = Pending::default();
        pending.merge(set(ChangeKind::Created));
        pending.merge(set(ChangeKind::Removed));
        assert!(pending.set().is_empty());
        pending.merge(set(ChangeKind::Created));
        pending.begin();
        pending.merge(set(ChangeKind::Removed));
        assert_eq!(pending.set().kind(Path::new("/new")), Some(ChangeKind::Removed));
        pending.clear();
        pending.merge(set(ChangeKind::Created));
        pending.merge(set(ChangeKind::Removed));
        assert!(pending.set().is_empty());
    }
}

//! What has changed: a settled set of files, each with what became of it since the last set.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was not there before.
    Created,
    /// Its content is another; for a symbolic link, where it points to.
    Modified,
    /// Its permissions are others, its content is the same.
    Permissions,
    /// It is not there any more.
    Removed,
}

impl ChangeKind {
    /// As it is shown: `created`, `modified`, `permissions`, `removed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Permissions => "permissions",
            Self::Removed => "removed",
        }
    }

    /// What is left of `self` when `later` follows; nothing, if the file is as absent as before.
    fn then(self, later: Self) -> Option<Self> {
        match (self, later) {
            (Self::Created, Self::Removed) => None,
            (Self::Created, _) => Some(Self::Created),
            (Self::Removed, Self::Created) | (Self::Modified, Self::Permissions) => {
                Some(Self::Modified)
            }
            (_, later) => Some(later),
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// Where it is, or was: below the root as it was given, made absolute.
    pub path: PathBuf,
}

/// Files that have changed, each once, in the order of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    changes: BTreeMap<PathBuf, ChangeKind>,
    gathered: Duration,
}

impl ChangeSet {
    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many files have changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// The files, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, ChangeKind)> {
        self.changes.iter().map(|(path, kind)| (path.as_path(), *kind))
    }

    /// The files that are there, thus not the removed ones.
    pub fn present(&self) -> impl Iterator<Item = &Path> {
        self.iter().filter(|(_, kind)| *kind != ChangeKind::Removed).map(|(path, _)| path)
    }

    /// What became of this file, if it changed.
    #[must_use]
    pub fn kind(&self, path: &Path) -> Option<ChangeKind> {
        self.changes.get(path).copied()
    }

    /// How long it took from the first sign of these changes until they had settled.
    #[must_use]
    pub fn gathered(&self) -> Duration {
        self.gathered
    }

    /// Takes in what has changed after this set. What was created and removed again is not in it.
    pub fn merge(&mut self, later: Self) {
        self.gathered += later.gathered;
        for (path, kind) in later.changes {
            self.add(Change { kind, path });
        }
    }

    /// The same for who has told somebody of this set: what was created and removed again is removed.
    #[cfg(feature = "daemon")]
    pub(crate) fn follow(&mut self, later: Self) {
        let removed = |(path, kind): (&Path, ChangeKind)| {
            (kind == ChangeKind::Removed).then(|| (path.to_owned(), kind))
        };
        let removed: Vec<_> = later.iter().filter_map(removed).collect();
        self.merge(later);
        self.changes.extend(removed);
    }

    pub(crate) fn add(&mut self, change: Change) {
        let kind = match self.changes.get(&change.path) {
            Some(before) => before.then(change.kind),
            None => Some(change.kind),
        };
        match kind {
            Some(kind) => self.changes.insert(change.path, kind),
            None => self.changes.remove(&change.path),
        };
    }

    pub(crate) fn took(&mut self, gathered: Duration) {
        self.gathered = gathered;
    }
}

impl FromIterator<Change> for ChangeSet {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        let mut set = Self::default();
        for change in changes {
            set.add(change);
        }
        set
    }
}

/// `3 files: modified a.php, created b.php and 1 more`, with as many names as fit on a line.
impl fmt::Display for ChangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        let plural = if self.len() == 1 { "" } else { "s" };
        write!(f, "{} file{plural}", self.len())?;
        for (index, (path, kind)) in self.iter().take(SHOWN).enumerate() {
            let before = if index == 0 { ": " } else { ", " };
            write!(f, "{before}{kind} {}", path.display())?;
        }
        match self.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ChangeKind::{Created, Modified, Permissions, Removed};
    use super::*;

    #[test]
    fn two_sets_are_one_with_what_is_left_of_both() {
        for (before, after, left) in [
            (Created, Modified, Some(Created)),
            (Created, Permissions, Some(Created)),
            (Created, Removed, None),
            (Modified, Permissions, Some(Modified)),
            (Modified, Removed, Some(Removed)),
            (Permissions, Modified, Some(Modified)),
            (Permissions, Removed, Some(Removed)),
            (Removed, Created, Some(Modified)),
        ] {
            let set = |kind| ChangeSet::from_iter([Change { kind, path: "/a".into() }]);
            let mut both = set(before);
            both.merge(set(after));
            assert_eq!(both.kind(Path::new("/a")), left, "{before} then {after}");
        }
    }

    #[test]
    fn a_set_says_how_many_files_and_the_first_of_them() {
        let set = |names: &[&str]| {
            names
                .iter()
                .map(|name| Change { kind: Modified, path: name.into() })
                .collect::<ChangeSet>()
                .to_string()
        };
        assert_eq!(set(&["a"]), "1 file: modified a");
        assert_eq!(
            set(&["a", "b", "c", "d", "e"]),
            "5 files: modified a, modified b, modified c and 2 more"
        );
    }
}

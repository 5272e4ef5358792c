//! Files whose content was not read yet: read bit by bit, when there is nothing else to do.

use super::Snapshot;
use super::tree::{Directory, Node};
use crate::disk::{Digest, Disk};
use crate::fingerprint::{Fingerprint, Kind};
use crate::limits::DIGESTS_AT_ONCE;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ops::Bound;
use std::path::{Path, PathBuf};

/// The directories in which such files are, and how far the first of them has been read.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Each with the root that it was found in: another root may not have it, or have other files of it.
    directories: BTreeSet<(usize, PathBuf)>,
    last: Option<Box<OsStr>>,
}

impl Backlog {
    /// This file's content is not known.
    pub(super) fn push(&mut self, root: usize, file: &Path) {
        let Some(directory) = file.parent() else { return };
        let place = (root, directory.to_owned());
        if self.directories.first().is_none_or(|first| place <= *first) {
            self.last = None;
        }
        self.directories.insert(place);
    }
}

impl Snapshot {
    /// Whether content is still to be read.
    pub(crate) fn has_backlog(&self) -> bool {
        !self.backlog.directories.is_empty()
    }

    /// Reads some of it.
    pub(crate) fn read_some<D: Disk>(&mut self, disk: &mut D) {
        let Some((root, directory)) = self.backlog.directories.first().cloned() else { return };
        let bytes_max = self.bounds.digest_bytes_max;
        let after = self.backlog.last.take();
        self.backlog.last = self
            .directory(root, &directory)
            .and_then(|within| read(disk, within, &directory, after.as_deref(), bytes_max));
        if self.backlog.last.is_none() {
            self.backlog.directories.pop_first();
        }
    }

    fn directory(&mut self, root: usize, path: &Path) -> Option<&mut Directory> {
        let root = self.roots.get_mut(root)?;
        let relative = path.strip_prefix(&root.path).ok()?;
        let top = root.directory.as_mut()?;
        top.descend(relative, &root.above).map(|place| place.directory)
    }
}

/// Reads files behind `after`; the last one, if there may be more.
fn read<D: Disk>(
    disk: &mut D,
    within: &mut Directory,
    path: &Path,
    after: Option<&OsStr>,
    bytes_max: u64,
) -> Option<Box<OsStr>> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let entries = within.entries.range_mut::<OsStr, _>((from, Bound::Unbounded));
    let mut count = 0;
    for (name, node) in entries {
        let Node::File(fingerprint) = node else { continue };
        if fingerprint.digest.is_some() || fingerprint.size() > bytes_max {
            continue;
        }
        complete(disk, fingerprint, &path.join::<&OsStr>(name));
        count += 1;
        if count == DIGESTS_AT_ONCE {
            return Some(name.clone());
        }
    }
    None
}

/// Adds the digest, if the file is still the one that was looked at.
fn complete<D: Disk>(disk: &mut D, fingerprint: &mut Fingerprint, path: &Path) {
    if matches!(fingerprint.kind(), Kind::Directory | Kind::Other) {
        return;
    }
    if let Digest::Known { digest, stat, fresh } = disk.digest(path, fingerprint.kind())
        && fingerprint.is_same(&stat)
    {
        *fingerprint = Fingerprint::new(stat, Some(digest)).with_fresh(fresh);
    }
}

//! While git is at work in a tree, the tree is half one version and half another: better to wait.

use crate::disk::Disk;
use crate::fingerprint::Stat;
use std::path::{Path, PathBuf};

const GIT_FILE_BYTES_MAX: u64 = 4096;

/// The locks that git holds while it changes a work tree.
#[derive(Debug, Default)]
pub(super) struct Locks(Vec<Lock>);

#[derive(Debug)]
struct Lock {
    path: PathBuf,
    /// One that was waited for in vain: nobody may hold it any more.
    distrusted: Option<Stat>,
}

impl Locks {
    /// Finds the repository that a root is in, if any.
    pub(super) fn add<D: Disk>(&mut self, disk: &mut D, root: &Path) {
        let directory = root.ancestors().find_map(|above| git_directory(disk, above));
        if let Some(directory) = directory {
            self.0.push(Lock { path: directory.join("index.lock"), distrusted: None });
        }
    }

    /// Whether git is at work.
    pub(super) fn is_held<D: Disk>(&self, disk: &mut D) -> bool {
        self.0.iter().any(|lock| lock.look(disk).is_some_and(|now| lock.distrusted != Some(now)))
    }

    /// What is held now is not waited for again.
    pub(super) fn distrust<D: Disk>(&mut self, disk: &mut D) {
        for lock in &mut self.0 {
            lock.distrusted = lock.look(disk);
        }
    }
}

impl Lock {
    fn look<D: Disk>(&self, disk: &mut D) -> Option<Stat> {
        disk.look(&self.path, false).ok().flatten()
    }
}

/// `.git`, or where a file of that name says that it is.
fn git_directory<D: Disk>(disk: &mut D, root: &Path) -> Option<PathBuf> {
    use crate::fingerprint::Kind;
    let path = root.join(".git");
    match disk.look(&path, true).ok()??.kind {
        Kind::Directory => Some(path),
        Kind::File => {
            let text = disk.text(&path, GIT_FILE_BYTES_MAX).ok()?;
            Some(root.join(text.strip_prefix("gitdir:")?.trim()))
        }
        _ => None,
    }
}

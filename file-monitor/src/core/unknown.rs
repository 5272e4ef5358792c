//! What could not be looked at: an error is no answer, so it is asked again.

use crate::disk::Disk;
use crate::fingerprint::Kind;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Directories that are to be looked at again, each as soon as a path can be looked at: itself, or one in it.
#[derive(Debug, Default)]
pub(super) struct Unknown(BTreeMap<PathBuf, PathBuf>);

impl Unknown {
    pub(super) fn add(&mut self, unknown: &BTreeMap<PathBuf, PathBuf>) {
        self.0.extend(unknown.iter().map(|(directory, path)| (directory.clone(), path.clone())));
    }

    /// Takes out those that can be looked at now. One that never can is only tried, and stirs nothing.
    pub(super) fn take<D: Disk>(&mut self, disk: &mut D, follow_links: bool) -> Vec<PathBuf> {
        let can = |directory: &PathBuf, path: &mut PathBuf| {
            can_look(disk, path, follow_links || path == directory)
        };
        self.0.extract_if(.., can).map(|(directory, _)| directory).collect()
    }
}

fn can_look<D: Disk>(disk: &mut D, path: &Path, through: bool) -> bool {
    match disk.look(path, through) {
        Ok(Some(stat)) if stat.kind == Kind::Directory => disk.list(path).is_ok(),
        Ok(_) => true,
        Err(_) => false,
    }
}

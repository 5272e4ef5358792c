//! The files that were there at the last look: a tree of directories, each name once.

use crate::filter::{Chain, Rules};
use crate::fingerprint::{Fingerprint, Stat};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// An entry of a directory.
#[derive(Debug)]
pub(crate) enum Node {
    File(Fingerprint),
    Directory(Box<Directory>),
}

impl Node {
    /// How many files are in it.
    pub(crate) fn files(&self) -> usize {
        match self {
            Self::File(_) => 1,
            Self::Directory(directory) => directory.files(),
        }
    }
}

/// A directory that is entered.
#[derive(Debug)]
pub(crate) struct Directory {
    device: u64,
    inode: u64,
    pub(crate) rules: Option<Arc<Rules>>,
    pub(crate) entries: BTreeMap<Box<OsStr>, Node>,
}

impl Directory {
    pub(crate) fn new(stat: &Stat) -> Self {
        let Stat { device, inode, .. } = *stat;
        Self { device, inode, rules: None, entries: BTreeMap::new() }
    }

    /// Whether this look is at the same directory.
    pub(crate) fn is(&self, stat: &Stat) -> bool {
        (self.device, self.inode) == (stat.device, stat.inode)
    }

    /// From now on it is the directory of this look.
    pub(crate) fn become_that_of(&mut self, stat: &Stat) {
        (self.device, self.inode) = (stat.device, stat.inode);
    }

    /// The rules that hold in it, given those of the directory above.
    pub(crate) fn chain(&self, above: &Chain) -> Chain {
        match &self.rules {
            Some(rules) => above.with(Arc::clone(rules)),
            None => above.clone(),
        }
    }

    /// Adds the paths of files that have one of these inodes; `path` is that of this directory.
    pub(crate) fn names_of(
        &self,
        inodes: &BTreeSet<u64>,
        path: &mut PathBuf,
        names: &mut Vec<PathBuf>,
    ) {
        for (name, node) in &self.entries {
            path.push::<&OsStr>(name);
            match node {
                Node::File(fingerprint) if inodes.contains(&fingerprint.inode()) => {
                    names.push(path.clone());
                }
                Node::File(_) => {}
                Node::Directory(directory) => directory.names_of(inodes, path, names),
            }
            path.pop();
        }
    }

    fn files(&self) -> usize {
        self.entries.values().map(Node::files).sum()
    }

    /// The directory at this relative path, if all on the way are entered. `above` are the rules that
    /// hold above this one.
    pub(crate) fn descend(&mut self, relative: &Path, above: &Chain) -> Option<Place<'_>> {
        let mut chain = self.chain(above);
        let mut way = vec![(self.device, self.inode)];
        let mut directory = self;
        for component in relative.components() {
            let Component::Normal(name) = component else { return None };
            let Some(Node::Directory(below)) = directory.entries.get_mut(name) else { return None };
            chain = below.chain(&chain);
            directory = below;
            way.push((directory.device, directory.inode));
        }
        Some(Place { directory, chain, way })
    }
}

/// A directory, and how one gets there.
pub(crate) struct Place<'a> {
    pub(crate) directory: &'a mut Directory,
    /// The rules that hold there.
    pub(crate) chain: Chain,
    /// Device and inode of the directories on the way, with its own.
    pub(crate) way: Vec<(u64, u64)>,
}

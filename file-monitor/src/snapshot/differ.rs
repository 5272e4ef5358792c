//! What differs from the tree by a look from outside, without remembering it: for polling.

use super::links::Links;
use super::tree::{Directory, Node};
use super::{Reach, Root, Snapshot, reach, rules_texts};
use crate::disk::Disk;
use crate::filter::{Chain, GIT, PLAIN, is_rules_name};
use crate::fingerprint::{Kind, Stat};
use crate::limits::DEPTH_MAX;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A path that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Difference {
    pub(crate) path: PathBuf,
    pub(crate) reach: Reach,
    /// What it is now, so that two looks can be compared.
    stat: Option<Stat>,
    /// Whether it may only seem to be as it was, so that it is to be read.
    pub(crate) fresh: bool,
}

impl Snapshot {
    /// What differs in those roots that `polled` chooses.
    pub(crate) fn differences<D: Disk>(
        &self,
        disk: &mut D,
        polled: impl Fn(&Path) -> bool,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (index, root) in self.roots.iter().enumerate().filter(|(_, root)| polled(&root.path)) {
            let (follow, links) = (self.bounds.follow_links, &self.links);
            Look { disk, root, index, follow, links, differences: &mut differences }.root();
        }
        differences
    }
}

struct Look<'a, D> {
    disk: &'a mut D,
    root: &'a Root,
    index: usize,
    links: &'a Links,
    follow: bool,
    differences: &'a mut Vec<Difference>,
}

impl<D: Disk> Look<'_, D> {
    fn root(&mut self) {
        let root = self.root;
        let Ok(stat) = self.disk.look(&root.path, true) else { return };
        let stat = stat.filter(|stat| stat.kind == Kind::Directory);
        match (&root.directory, stat) {
            (Some(directory), Some(stat)) if directory.is(&stat) => {
                self.directory(directory, &root.path, &root.above, 0);
            }
            (None, None) => {}
            (_, stat) => self.differs(&root.path, Reach::Below, stat),
        }
    }

    fn directory(&mut self, directory: &Directory, path: &Path, above: &Chain, depth: usize) {
        let Ok(listed) = self.disk.list(path) else { return };
        if depth >= DEPTH_MAX {
            return;
        }
        let chain = directory.chain(above);
        let mut seen = 0;
        let mut has_rules = false;
        for (name, kind) in &listed {
            let node = directory.entries.get(name.as_os_str());
            seen += usize::from(node.is_some());
            has_rules |= is_rules_name(name);
            self.entry(node, &path.join(name), *kind, &chain, depth);
        }
        if has_rules || directory.rules.is_some() {
            self.rules(directory, path);
        }
        if seen < directory.entries.len() {
            let here: BTreeSet<&OsStr> = listed.iter().map(|(name, _)| name.as_os_str()).collect();
            for (name, node) in &directory.entries {
                if !here.contains(&**name) {
                    let is_directory = matches!(node, Node::Directory(_));
                    self.differs(&path.join::<&OsStr>(name), reach(is_directory), None);
                }
            }
        }
    }

    fn entry(&mut self, node: Option<&Node>, path: &Path, kind: Kind, chain: &Chain, depth: usize) {
        let look = |disk: &mut D, follow| disk.look(path, follow).ok().flatten();
        match node {
            Some(Node::Directory(directory)) => match look(self.disk, true) {
                Some(stat) if directory.is(&stat) => {
                    self.directory(directory, path, chain, depth + 1);
                }
                stat => self.differs(path, Reach::Below, stat),
            },
            Some(Node::File(fingerprint)) => {
                match look(self.disk, self.links.has(self.index, path)) {
                    Some(stat) if fingerprint.is_same(&stat) => {}
                    stat => {
                        let (path, reach, fresh) =
                            (path.to_owned(), Reach::Below, fingerprint.is_fresh());
                        self.differences.push(Difference { path, reach, stat, fresh });
                    }
                }
            }
            None => self.newcomer(path, kind, chain, depth),
        }
    }

    /// What was not there: with all below it, which may still be growing.
    fn newcomer(&mut self, path: &Path, kind: Kind, chain: &Chain, depth: usize) {
        let stat = match kind {
            Kind::Symlink if self.follow || self.root.filter.is_only(path) => {
                self.disk.look(path, true)
            }
            _ => self.disk.look(path, false),
        };
        let Ok(Some(stat)) = stat else { return };
        if stat.kind != Kind::Directory {
            if stat.kind != Kind::Other && self.root.filter.counts(path, chain) {
                self.differs(path, Reach::Path, Some(stat));
            }
            return;
        }
        if depth >= DEPTH_MAX || !self.root.filter.enters(path, chain) {
            return;
        }
        self.differs(path, Reach::Below, Some(stat));
        if kind == Kind::Symlink {
            return;
        }
        for (name, kind) in self.disk.list(path).unwrap_or_default() {
            self.newcomer(&path.join(name), kind, chain, depth + 1);
        }
    }

    fn rules(&mut self, directory: &Directory, path: &Path) {
        if !self.root.filter.has_ignore_files() {
            return;
        }
        let Ok((git, plain)) = rules_texts(self.disk, path) else { return };
        let same = match &directory.rules {
            Some(rules) => rules.is_of(&git, &plain),
            None => git.is_empty() && plain.is_empty(),
        };
        if same {
            return;
        }
        for name in [GIT, PLAIN] {
            let path = path.join(name);
            let stat = self.disk.look(&path, true).ok().flatten();
            self.differs(&path, Reach::Path, stat);
        }
    }

    fn differs(&mut self, path: &Path, reach: Reach, stat: Option<Stat>) {
        self.differences.push(Difference { path: path.to_owned(), reach, stat, fresh: false });
    }
}

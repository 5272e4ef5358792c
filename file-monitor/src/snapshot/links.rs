//! Symbolic links that are looked through, and what is known of where they lead to.

use crate::disk::{Disk, Holder};
use crate::fingerprint::{Kind, Stat};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A link, and the root that it was found in.
type Name = (usize, PathBuf);

/// The links of all roots.
#[derive(Debug)]
pub(super) struct Links {
    links_max: usize,
    links: BTreeMap<Name, Link>,
    /// Which links lead to a path.
    by_target: BTreeMap<PathBuf, BTreeSet<Name>>,
    observed: Observed,
    has_warned: bool,
}

#[derive(Debug)]
struct Link {
    /// Without links on the way; nothing, if it leads nowhere.
    target: Option<PathBuf>,
    seen: Stat,
}

/// The directories that targets lie in, which may be outside of all roots.
#[derive(Debug, Default)]
struct Observed {
    /// The holder's number, and how many targets there are.
    directories: BTreeMap<PathBuf, (u64, usize)>,
    last: u64,
}

impl Links {
    /// None yet, and how many there may be.
    pub(super) fn new(links_max: usize) -> Self {
        Self {
            links_max,
            links: BTreeMap::new(),
            by_target: BTreeMap::new(),
            observed: Observed::default(),
            has_warned: false,
        }
    }

    /// Whether this link is looked through.
    pub(super) fn has(&self, root: usize, path: &Path) -> bool {
        !self.links.is_empty() && self.links.contains_key(&(root, path.to_owned()))
    }

    /// Whether this link may be looked through, too.
    pub(super) fn takes(&mut self, root: usize, path: &Path) -> bool {
        let takes = self.links.len() < self.links_max || self.has(root, path);
        if !takes && !self.has_warned {
            self.has_warned = true;
            let links_max = self.links_max;
            tracing::warn!(link = %path.display(), links_max, "too many symbolic links: this one and others are not looked through");
        }
        takes
    }

    /// A link leads to what was seen.
    pub(super) fn note<D: Disk>(&mut self, disk: &mut D, root: usize, path: &Path, seen: &Stat) {
        let name = (root, path.to_owned());
        let (target, seen) = (disk.target(path).ok(), what_counts(seen));
        if let Some(target) = &target {
            self.by_target.entry(target.clone()).or_default().insert(name.clone());
            self.observed.enter(disk, target);
        }
        let same = self.links.get(&name).is_some_and(|link| link.target == target);
        if let Some(before) = self.links.insert(name.clone(), Link { target, seen }) {
            // The new one was entered first, so that nothing is missed where both are of one directory.
            self.leave(disk, &name, before, same);
        }
    }

    /// It is no link any more, or not looked at.
    pub(super) fn forget<D: Disk>(&mut self, disk: &mut D, root: usize, path: &Path) {
        if self.links.is_empty() {
            return;
        }
        let name = (root, path.to_owned());
        if let Some(link) = self.links.remove(&name) {
            self.leave(disk, &name, link, false);
        }
    }

    /// The directory is not followed any more.
    pub(super) fn forget_below<D: Disk>(&mut self, disk: &mut D, root: usize, directory: &Path) {
        if self.links.is_empty() {
            return;
        }
        let from = self.links.range((root, directory.to_owned())..).map(|(name, _)| name);
        let within = from.take_while(|(of, path)| *of == root && path.starts_with(directory));
        let below: Vec<Name> = within.filter(|(_, path)| path != directory).cloned().collect();
        for (root, path) in below {
            self.forget(disk, root, &path);
        }
    }

    /// The links that lead to this path.
    pub(super) fn leading_to(&self, path: &Path) -> impl Iterator<Item = &Path> {
        let names = self.by_target.get(path).into_iter().flatten();
        names.map(|(_, link)| link.as_path())
    }

    /// The links that lead to something else than was seen: the kernel does not tell when a link on
    /// the way to a target becomes another.
    pub(super) fn changed<D: Disk>(&self, disk: &mut D) -> Vec<PathBuf> {
        let is_other = |path: &Path, link: &Link, disk: &mut D| {
            disk.look(path, true).is_ok_and(|now| now.as_ref().map(what_counts) != Some(link.seen))
        };
        let links = self.links.iter().filter(|((_, path), link)| is_other(path, link, disk));
        links.map(|((_, path), _)| path.clone()).collect()
    }

    fn leave<D: Disk>(&mut self, disk: &mut D, name: &Name, link: Link, stays: bool) {
        let Some(target) = link.target else { return };
        self.observed.leave(disk, &target);
        if !stays && let Some(names) = self.by_target.get_mut(&target) {
            names.remove(name);
            if names.is_empty() {
                self.by_target.remove(&target);
            }
        }
    }
}

impl Observed {
    fn enter<D: Disk>(&mut self, disk: &mut D, target: &Path) {
        let Some(directory) = target.parent() else { return };
        self.last += 1;
        let new = (self.last, 0);
        let (number, count) = self.directories.entry(directory.to_owned()).or_insert(new);
        *count += 1;
        // Links are looked at now and then, too, for where this fails.
        let _ = disk.enter(directory, Holder::Target(*number));
    }

    fn leave<D: Disk>(&mut self, disk: &mut D, target: &Path) {
        let Some(directory) = target.parent() else { return };
        let Some((number, count)) = self.directories.get_mut(directory) else { return };
        *count -= 1;
        if *count == 0 {
            disk.leave(directory, Holder::Target(*number));
            self.directories.remove(directory);
        }
    }
}

/// Of a directory only which one it is: what is in it is looked at by itself.
fn what_counts(stat: &Stat) -> Stat {
    match stat.kind {
        Kind::Directory => Stat { size: 0, modified: 0, changed: 0, mode: 0, names: 0, ..*stat },
        _ => *stat,
    }
}

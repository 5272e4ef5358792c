//! One look at suspects: what is on the disk is compared with the tree, and the tree follows.

use super::digests::Backlog;
use super::ignored::Hidden;
use super::links::Links;
use super::tree::{Directory, Node, Place};
use super::{Bounds, Found};
use crate::change::{Change, ChangeKind};
use crate::debounce::{Reach, Suspects};
use crate::disk::{Digest, Disk, EnterError, Holder};
use crate::filter::{Chain, Filter};
use crate::fingerprint::{Fingerprint, Kind, Stat};
use crate::limits::DEPTH_MAX;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use workyard_planted::planted;

/// What becomes of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The tree is being built: nothing has changed yet.
    First,
    /// They are changes.
    Loud { patient: bool },
}

pub(super) struct Pass<'a, D> {
    pub(super) disk: &'a mut D,
    /// Which of the roots it is a look at.
    pub(super) root: usize,
    pub(super) filter: &'a Filter,
    pub(super) bounds: &'a Bounds,
    pub(super) suspects: &'a Suspects,
    pub(super) how: How,
    pub(super) hidden: Hidden,
    pub(super) found: &'a mut Found,
    pub(super) files: &'a mut usize,
    pub(super) links: &'a mut Links,
    pub(super) backlog: &'a mut Backlog,
    /// Device and inode of the directories above, so that links do not lead round in circles.
    pub(super) above: Vec<(u64, u64)>,
}

/// A directory that went while it was looked at.
pub(super) struct Gone;

impl<D: Disk> Pass<'_, D> {
    /// The whole of a root.
    pub(super) fn root(
        &mut self,
        before: Option<Directory>,
        stat: Option<&Stat>,
        path: &Path,
        chain: &Chain,
    ) -> Option<Directory> {
        let Some(stat) = stat else {
            if let Some(directory) = before {
                self.forget(Node::Directory(Box::new(directory)), path);
            }
            return None;
        };
        if !before.as_ref().is_some_and(|before| before.is(stat)) {
            self.hidden = Hidden::Nothing;
        }
        let mut directory = before.unwrap_or_else(|| Directory::new(stat));
        directory.become_that_of(stat);
        match self.scan(&mut directory, path, chain, stat) {
            Ok(()) => Some(directory),
            Err(Gone) => {
                self.forget(Node::Directory(Box::new(directory)), path);
                None
            }
        }
    }

    /// One path, whose directory is `place`.
    pub(super) fn suspect(&mut self, place: Place<'_>, path: &Path, reach: Reach) {
        let Place { directory: within, chain, way } = place;
        self.above = way;
        let Some(name) = path.file_name() else { return };
        let Ok((stat, through)) = self.look(path) else { return self.cannot_tell(path) };
        let before = within.entries.remove(name);
        self.hidden = match &before {
            Some(_) => Hidden::By(chain.clone()),
            None => Hidden::Nothing,
        };
        let kept = match &stat {
            Some(stat) if !self.keeps(path, stat.kind, &chain) => {
                self.drop_quietly(before, path, stat.kind);
                return;
            }
            Some(stat) => {
                self.note_link(path, stat, through);
                self.entry(before, stat, path, &chain, reach)
            }
            None => {
                self.links.forget(self.disk, self.root, path);
                self.forget_some(before, path);
                // It may have been entered when it came, and have gone before it was looked at.
                self.leave(path);
                None
            }
        };
        if let Some(node) = kept {
            within.entries.insert(name.into(), node);
        }
    }

    /// Looks at everything in a directory. `chain` holds above it.
    pub(super) fn scan(
        &mut self,
        directory: &mut Directory,
        path: &Path,
        chain: &Chain,
        stat: &Stat,
    ) -> Result<(), Gone> {
        if self.above.len() >= DEPTH_MAX {
            self.found.too_deep = Some(path.to_owned());
            return Ok(());
        }
        let observed = self.enter(path)?;
        let listed = match self.disk.list(path) {
            Ok(listed) => listed,
            Err(error) if is_gone(&error) => return Err(Gone),
            // What may not be read is taken to be as it was.
            Err(_) => {
                self.found.cannot_tell(path, path);
                return Ok(());
            }
        };
        self.found.unobserved |= !observed;
        let hidden = self.hidden.within(directory.rules.clone());
        let outside = std::mem::replace(&mut self.hidden, hidden);
        self.load_rules(directory, path, &listed);
        let chain = directory.chain(chain);
        let mut before = std::mem::take(&mut directory.entries);
        self.above.push((stat.device, stat.inode));
        for (name, kind) in listed {
            let old = before.remove(name.as_os_str());
            if let Some(node) = self.listed(old, &path.join(&name), kind, &chain) {
                directory.entries.insert(name.into_boxed_os_str(), node);
            }
        }
        self.above.pop();
        self.hidden = outside;
        for (name, node) in before {
            let path = path.join::<&OsStr>(&name);
            self.links.forget(self.disk, self.root, &path);
            self.forget(node, &path);
        }
        Ok(())
    }

    /// Whether what happens in it is told, or else that is said.
    fn enter(&mut self, path: &Path) -> Result<bool, Gone> {
        match self.disk.enter(path, Holder::Root(self.root)) {
            Ok(()) => Ok(true),
            Err(EnterError::Gone) => Err(Gone),
            Err(EnterError::Limit(limit)) => {
                self.found.limit = Some(limit);
                Ok(true)
            }
            Err(EnterError::Other(error)) => {
                tracing::debug!(directory = %path.display(), %error, "cannot be observed");
                Ok(false)
            }
        }
    }

    fn cannot_tell(&mut self, path: &Path) {
        if let Some(directory) = path.parent() {
            self.found.cannot_tell(directory, path);
        }
    }

    /// An entry that a directory was found to have.
    fn listed(
        &mut self,
        before: Option<Node>,
        path: &Path,
        kind: Kind,
        chain: &Chain,
    ) -> Option<Node> {
        // Most of what is ignored is told by its name, without a look at it.
        let follow = kind == Kind::Symlink && self.follows(path);
        if !follow && !self.keeps(path, kind, chain) {
            self.drop_quietly(before, path, kind);
            return None;
        }
        let (stat, through) = match self.look(path) {
            Ok((Some(stat), through)) => (stat, through),
            Ok((None, _)) => {
                self.links.forget(self.disk, self.root, path);
                self.forget_some(before, path);
                return None;
            }
            Err(_) => {
                self.cannot_tell(path);
                return before;
            }
        };
        if (follow || stat.kind != kind) && !self.keeps(path, stat.kind, chain) {
            self.drop_quietly(before, path, stat.kind);
            return None;
        }
        self.note_link(path, &stat, through);
        if before.is_some() {
            return self.entry(before, &stat, path, chain, Reach::Below);
        }
        let inside =
            if self.was_hidden(path, stat.kind) { Hidden::Everything } else { Hidden::Nothing };
        let outside = std::mem::replace(&mut self.hidden, inside);
        let node = self.entry(None, &stat, path, chain, Reach::Below);
        self.hidden = outside;
        node
    }

    /// What is at a path, and whether it was looked at through a symbolic link. A socket, a pipe or a device
    /// counts as nothing: there is no content in it that could change, and a server that makes one beside its
    /// files must not be restarted for that.
    fn look(&mut self, path: &Path) -> io::Result<(Option<Stat>, bool)> {
        let mut stat = self.disk.look(path, false)?;
        let is_link = stat.is_some_and(|stat| stat.kind == Kind::Symlink);
        let through = is_link && self.follows(path) && self.links.takes(self.root, path);
        if through {
            stat = self.disk.look(path, true)?;
        }
        Ok((stat.filter(|stat| stat.kind != Kind::Other), through))
    }

    /// Whether a symbolic link of this path is looked through. One that was named as a file is.
    fn follows(&self, path: &Path) -> bool {
        self.bounds.follow_links || self.filter.is_only(path)
    }

    pub(super) fn keeps(&self, path: &Path, kind: Kind, chain: &Chain) -> bool {
        match kind {
            Kind::Directory => self.filter.enters(path, chain),
            _ => self.filter.counts(path, chain),
        }
    }

    /// Something is there that counts.
    fn entry(
        &mut self,
        before: Option<Node>,
        stat: &Stat,
        path: &Path,
        chain: &Chain,
        reach: Reach,
    ) -> Option<Node> {
        if stat.kind == Kind::Directory {
            return self.directory(before, stat, path, chain, reach);
        }
        let before = match before {
            Some(Node::File(fingerprint)) => Some(fingerprint),
            other => {
                self.forget_some(other, path);
                None
            }
        };
        if before.is_none() && *self.files >= self.bounds.files_max {
            self.found.too_many = true;
            return None;
        }
        let after = self.file(before, stat, path);
        *self.files += usize::from(after.is_some());
        *self.files -= usize::from(before.is_some());
        after.map(Node::File)
    }

    fn directory(
        &mut self,
        before: Option<Node>,
        stat: &Stat,
        path: &Path,
        chain: &Chain,
        reach: Reach,
    ) -> Option<Node> {
        if self.above.contains(&(stat.device, stat.inode)) {
            self.forget_some(before, path);
            return None;
        }
        // Links can make a tree of few files endlessly large.
        let is_new = !matches!(before, Some(Node::Directory(_)));
        if is_new && self.bounds.follow_links && *self.files >= self.bounds.files_max {
            self.found.too_many = true;
            self.forget_some(before, path);
            return None;
        }
        let is_known = match &before {
            Some(Node::Directory(directory)) => directory.is(stat),
            Some(Node::File(_)) => false,
            None => true,
        };
        let mut directory = match before {
            Some(Node::Directory(directory)) if reach == Reach::Path && is_known => {
                return Some(Node::Directory(directory));
            }
            Some(Node::Directory(directory)) => directory,
            other => {
                self.forget_some(other, path);
                Box::new(Directory::new(stat))
            }
        };
        directory.become_that_of(stat);
        let hidden = if is_known { self.hidden.clone() } else { Hidden::Nothing };
        let outside = std::mem::replace(&mut self.hidden, hidden);
        let scanned = self.scan(&mut directory, path, chain, stat);
        self.hidden = outside;
        match scanned {
            Ok(()) => Some(Node::Directory(directory)),
            Err(Gone) => {
                self.forget(Node::Directory(directory), path);
                None
            }
        }
    }

    fn file(
        &mut self,
        before: Option<Fingerprint>,
        stat: &Stat,
        path: &Path,
    ) -> Option<Fingerprint> {
        if before.is_some_and(|before| before.is_same(stat)) {
            return before;
        }
        let is_old = self.how == How::First || matches!(self.hidden, Hidden::Everything);
        if before.is_none() && is_old {
            self.backlog.push(self.root, path);
            return Some(Fingerprint::new(*stat, None));
        }
        let now = Fingerprint::new(*stat, None);
        self.found.shared.extend(before.iter().chain([&now]).filter_map(Fingerprint::shared));
        let after = match self.digest(stat, path) {
            Digest::Known { digest, stat, fresh } => {
                Fingerprint::new(stat, Some(digest)).with_fresh(fresh)
            }
            Digest::Unstable if self.how == (How::Loud { patient: true }) => {
                self.found.unstable.push(path.to_owned());
                return before;
            }
            Digest::Unstable => now.with_fresh(true),
            Digest::Unreadable => {
                self.backlog.push(self.root, path);
                now
            }
        };
        if let Some(kind) = difference(before.as_ref(), &after) {
            self.found.changes.push(Change { kind, path: path.to_owned() });
        }
        Some(after)
    }

    fn digest(&mut self, stat: &Stat, path: &Path) -> Digest {
        let small = stat.size <= self.bounds.digest_bytes_max;
        match stat.kind {
            Kind::File if small => self.disk.digest(path, Kind::File),
            Kind::Symlink => self.disk.digest(path, Kind::Symlink),
            _ => Digest::Unreadable,
        }
    }

    fn note_link(&mut self, path: &Path, stat: &Stat, through: bool) {
        match through {
            true => self.links.note(self.disk, self.root, path, stat),
            false => self.links.forget(self.disk, self.root, path),
        }
    }

    /// The entry is ignored, whatever it is: that is no change of it.
    fn drop_quietly(&mut self, before: Option<Node>, path: &Path, kind: Kind) {
        if planted!("ignored-file-counts-as-removed") {
            return self.forget_some(before, path);
        }
        *self.files -= before.as_ref().map_or(0, Node::files);
        self.links.forget(self.disk, self.root, path);
        if kind == Kind::Directory || matches!(before, Some(Node::Directory(_))) {
            self.leave(path);
        }
    }

    fn forget_some(&mut self, node: Option<Node>, path: &Path) {
        if let Some(node) = node {
            self.forget(node, path);
        }
    }

    /// The entry is there no more.
    fn forget(&mut self, node: Node, path: &Path) {
        if matches!(node, Node::Directory(_)) {
            self.leave(path);
        }
        self.removed(node, path);
    }

    fn leave(&mut self, directory: &Path) {
        self.links.forget_below(self.disk, self.root, directory);
        self.disk.leave(directory, Holder::Root(self.root));
    }

    fn removed(&mut self, node: Node, path: &Path) {
        match node {
            Node::File(fingerprint) => {
                *self.files -= 1;
                self.found.shared.extend(fingerprint.shared());
                self.found
                    .changes
                    .push(Change { kind: ChangeKind::Removed, path: path.to_owned() });
            }
            Node::Directory(directory) => {
                for (name, node) in directory.entries {
                    self.removed(node, &path.join::<&OsStr>(&name));
                }
            }
        }
    }
}

fn difference(before: Option<&Fingerprint>, after: &Fingerprint) -> Option<ChangeKind> {
    match before {
        None => Some(ChangeKind::Created),
        Some(before) if before.is_other_content(after) => Some(ChangeKind::Modified),
        Some(before) if before.is_other_mode(after) => Some(ChangeKind::Permissions),
        Some(_) => None,
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

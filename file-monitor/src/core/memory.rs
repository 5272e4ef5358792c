//! A file system in memory that tells what inotify would: what the cases are played on.

use super::Hint;
use crate::disk::{Digest, Disk, EnterError, Holder, Listed};
use crate::fingerprint::{Kind, Stat};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub(super) struct Inode {
    kind: Kind,
    content: String,
    entries: BTreeMap<String, u64>,
    modified: i64,
    changed: i64,
    mode: u32,
    names: u64,
}

#[derive(Debug)]
pub(super) struct Memory {
    inodes: BTreeMap<u64, Inode>,
    root: u64,
    next: u64,
    clock: i64,
    /// Whether the clock stands, so that several writes leave the same times.
    clock_stands: bool,
    observed: BTreeMap<u64, BTreeSet<(PathBuf, Holder)>>,
    pub(super) hints: Vec<Hint>,
    /// Whether hints are lost, as when the kernel's queue is full.
    pub(super) deaf: bool,
    pub(super) enters_max: usize,
    /// A directory that may not be looked into.
    pub(super) denied: Option<PathBuf>,
    /// Whether nothing can be opened.
    pub(super) descriptors_out: bool,
    /// Whether no further directory is observed, for no reason.
    pub(super) refuses: bool,
    /// Digests that come out unstable from now on.
    pub(super) unstable: usize,
}

impl Memory {
    pub(super) fn new() -> Self {
        let mut memory = Self {
            inodes: BTreeMap::new(),
            root: 1,
            next: 1,
            clock: 0,
            clock_stands: false,
            observed: BTreeMap::new(),
            hints: Vec::new(),
            deaf: false,
            enters_max: usize::MAX,
            denied: None,
            descriptors_out: false,
            refuses: false,
            unstable: 0,
        };
        memory.inode(Kind::Directory, "");
        memory
    }

    fn tick(&mut self) {
        self.clock += i64::from(!self.clock_stands);
    }

    fn inode(&mut self, kind: Kind, content: &str) -> u64 {
        self.tick();
        let (modified, changed) = (self.clock, self.clock);
        let (content, entries) = (content.to_owned(), BTreeMap::new());
        let node = Inode { kind, content, entries, modified, changed, mode: 0o644, names: 0 };
        let number = self.next;
        self.next += 1;
        self.inodes.insert(number, node);
        number
    }

    fn node(&mut self, number: u64) -> &mut Inode {
        self.inodes.get_mut(&number).expect("inodes stay for ever here")
    }

    fn find(&self, path: &Path, through: bool) -> Option<u64> {
        let mut number = self.root;
        let mut components = path.strip_prefix("/").ok()?.components().peekable();
        while let Some(component) = components.next() {
            let name = component.as_os_str().to_str()?;
            number = *self.inodes[&number].entries.get(name)?;
            let node = &self.inodes[&number];
            if node.kind == Kind::Symlink && (through || components.peek().is_some()) {
                number = self.find(Path::new(&node.content), true)?;
            }
        }
        Some(number)
    }

    /// Without links on the way, nor at the end.
    fn real(&self, path: &Path) -> Option<PathBuf> {
        let mut real = PathBuf::from("/");
        for component in path.strip_prefix("/").ok()?.components() {
            real.push(component);
            let node = &self.inodes[&self.find(&real, false)?];
            if node.kind == Kind::Symlink {
                real = self.real(Path::new(&node.content))?;
            }
        }
        Some(real)
    }

    fn parent(&self, path: &str) -> (u64, String) {
        let path = Path::new(path);
        let parent = path.parent().expect("no test changes the top");
        let name = path.file_name().expect("it has a name").to_str().expect("names are text");
        (self.find(parent, true).expect("its directory is there"), name.to_owned())
    }

    fn tell(&mut self, directory: u64, name: &str, kind: Kind) {
        let names = self.observed.get(&directory).filter(|_| !self.deaf);
        let mut paths: Vec<_> = names.into_iter().flatten().map(|(path, _)| path).collect();
        paths.dedup();
        let directory = kind == Kind::Directory;
        self.hints.extend(paths.iter().map(|path| Hint { path: path.join(name), directory }));
    }

    fn link_in(&mut self, path: &str, number: u64) {
        let (parent, name) = self.parent(path);
        let replaced = self.node(parent).entries.insert(name.clone(), number);
        self.node(number).names += 1;
        if let Some(replaced) = replaced {
            self.node(replaced).names -= 1;
        }
        let kind = self.node(number).kind;
        self.tell(parent, &name, kind);
    }

    fn at(&self, path: &str) -> u64 {
        self.find(Path::new(path), false).unwrap_or_else(|| panic!("{path} is there"))
    }

    fn told(&mut self, path: &str) {
        let (parent, name) = self.parent(path);
        let number = self.at(path);
        let kind = self.node(number).kind;
        self.tell(parent, &name, kind);
    }

    /// The clock stands from now on, or goes.
    pub(super) fn stop_clock(&mut self, stands: bool) {
        self.clock += 1;
        self.clock_stands = stands;
    }

    /// Writes in place, or creates.
    pub(super) fn write(&mut self, path: &str, content: &str) {
        match self.find(Path::new(path), true) {
            Some(number) => {
                self.tick();
                let clock = self.clock;
                let node = self.node(number);
                content.clone_into(&mut node.content);
                (node.modified, node.changed) = (clock, clock);
                self.told(path);
            }
            None => {
                let number = self.inode(Kind::File, content);
                self.link_in(path, number);
            }
        }
    }

    pub(super) fn mkdir(&mut self, path: &str) {
        let number = self.inode(Kind::Directory, "");
        self.link_in(path, number);
    }

    pub(super) fn symlink(&mut self, target: &str, path: &str) {
        let number = self.inode(Kind::Symlink, target);
        self.link_in(path, number);
    }

    pub(super) fn socket(&mut self, path: &str) {
        let number = self.inode(Kind::Other, "");
        self.link_in(path, number);
    }

    pub(super) fn hard_link(&mut self, old: &str, new: &str) {
        self.tick();
        let (number, clock) = (self.at(old), self.clock);
        self.node(number).changed = clock;
        self.link_in(new, number);
    }

    pub(super) fn remove(&mut self, path: &str) {
        let (parent, name) = self.parent(path);
        let number = self.at(path);
        let kind = self.node(number).kind;
        self.observed.remove(&number);
        self.node(parent).entries.remove(&name);
        self.node(number).names -= 1;
        self.tell(parent, &name, kind);
    }

    /// With all below it, from the bottom up, as `rm -r` does.
    pub(super) fn remove_all(&mut self, path: &str) {
        let number = self.at(path);
        let names: Vec<_> = self.node(number).entries.keys().cloned().collect();
        for name in names {
            self.remove_all(&format!("{path}/{name}"));
        }
        self.remove(path);
    }

    pub(super) fn rename(&mut self, old: &str, new: &str) {
        let (parent, name) = self.parent(old);
        let number = self.at(old);
        let kind = self.node(number).kind;
        self.node(parent).entries.remove(&name);
        self.node(number).names -= 1;
        self.tell(parent, &name, kind);
        self.tick();
        let clock = self.clock;
        self.node(number).changed = clock;
        self.link_in(new, number);
    }

    pub(super) fn touch(&mut self, path: &str) {
        self.tick();
        let (number, clock) = (self.at(path), self.clock);
        let node = self.node(number);
        (node.modified, node.changed) = (clock, clock);
        self.told(path);
    }

    pub(super) fn chmod(&mut self, path: &str, mode: u32) {
        self.tick();
        let (number, clock) = (self.at(path), self.clock);
        let node = self.node(number);
        (node.mode, node.changed) = (mode, clock);
        self.told(path);
    }

    /// Sets the time of the last write, as `touch -d` and `rsync -t` do.
    pub(super) fn set_modified(&mut self, path: &str, modified: i64) {
        self.touch(path);
        let number = self.at(path);
        self.node(number).modified = modified;
    }

    pub(super) fn modified(&mut self, path: &str) -> i64 {
        let number = self.at(path);
        self.node(number).modified
    }

    /// All files and links below, for comparison: path, content and mode.
    pub(super) fn files(&self, path: &str) -> Vec<(PathBuf, String, u32)> {
        let mut files = Vec::new();
        let Some(number) = self.find(Path::new(path), false) else { return files };
        let node = &self.inodes[&number];
        if matches!(node.kind, Kind::File | Kind::Symlink) {
            files.push((path.into(), node.content.clone(), node.mode));
        }
        for name in node.entries.keys() {
            files.extend(self.files(&format!("{path}/{name}")));
        }
        files
    }

    fn pass(&self, path: &Path) -> io::Result<()> {
        let mut above = path.ancestors().skip(1);
        let is_denied = above.any(|above| self.denied.as_deref() == Some(above));
        if is_denied { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }

    fn open(&self, path: &Path) -> io::Result<()> {
        if self.descriptors_out {
            return Err(io::Error::other("there are too many open files"));
        }
        // A name in it stands for the directory itself.
        self.pass(&path.join("it"))
    }

    fn stat(&self, number: u64) -> Stat {
        let node = &self.inodes[&number];
        Stat {
            kind: node.kind,
            device: 1,
            inode: number,
            size: node.content.len() as u64,
            modified: node.modified,
            changed: node.changed,
            mode: node.mode,
            names: node.names,
        }
    }
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for Memory {
    fn look(&mut self, path: &Path, through: bool) -> io::Result<Option<Stat>> {
        self.pass(path)?;
        let number = self.find(path, through).or_else(|| self.find(path, false));
        Ok(number.map(|number| self.stat(number)))
    }

    fn list(&mut self, directory: &Path) -> io::Result<Vec<Listed>> {
        self.open(directory)?;
        let number = self.find(directory, true).ok_or_else(absent)?;
        let entries = self.inodes[&number].entries.iter();
        Ok(entries.map(|(name, number)| (name.into(), self.inodes[number].kind)).collect())
    }

    fn digest(&mut self, path: &Path, kind: Kind) -> Digest {
        if self.open(path).is_err() {
            return Digest::Unreadable;
        }
        if self.unstable > 0 {
            self.unstable -= 1;
            return Digest::Unstable;
        }
        let Some(number) = self.find(path, kind != Kind::Symlink) else { return Digest::Unstable };
        let mut hasher = DefaultHasher::new();
        self.inodes[&number].content.hash(&mut hasher);
        let digest = NonZeroU64::new(hasher.finish() | 1).expect("it has a bit");
        let stat = self.stat(number);
        let fresh = self.clock_stands && stat.changed == self.clock;
        Digest::Known { digest, stat, fresh }
    }

    fn text(&mut self, path: &Path, _: u64) -> io::Result<String> {
        self.open(path)?;
        let number = self.find(path, true).ok_or_else(absent)?;
        Ok(self.inodes[&number].content.clone())
    }

    fn target(&mut self, link: &Path) -> io::Result<PathBuf> {
        self.real(link).ok_or_else(absent)
    }

    fn enter(&mut self, directory: &Path, holder: Holder) -> Result<(), EnterError> {
        let number = self.find(directory, true).ok_or(EnterError::Gone)?;
        if self.inodes[&number].kind != Kind::Directory {
            return Err(EnterError::Gone);
        }
        if self.refuses {
            return Err(EnterError::Other(io::Error::other("no")));
        }
        if self.observed.len() >= self.enters_max && !self.observed.contains_key(&number) {
            return Err(EnterError::Limit("fs.inotify.max_user_watches"));
        }
        let name = (directory.to_owned(), holder);
        for (_, names) in self.observed.iter_mut().filter(|(other, _)| **other != number) {
            names.remove(&name);
        }
        self.observed.entry(number).or_default().insert(name);
        self.observed.retain(|_, names| !names.is_empty());
        Ok(())
    }

    fn leave(&mut self, directory: &Path, holder: Holder) {
        self.observed.retain(|_, names| {
            names.retain(|(path, of)| *of != holder || !path.starts_with(directory));
            !names.is_empty()
        });
    }
}

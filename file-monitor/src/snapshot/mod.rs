//! The tree as it was at the last look, and what differs from it now.

mod differ;
mod digests;
mod ignored;
mod links;
mod pass;
mod tree;

pub(crate) use differ::Difference;

use crate::change::Change;
use crate::debounce::{Reach, Suspects};
use crate::disk::{Disk, Holder};
use crate::filter::{Chain, Filter, PatternError, Rules, Wishes, is_rules_name};
use crate::fingerprint::Kind;
use crate::limits::RULES_BYTES_MAX;
use digests::Backlog;
use ignored::Hidden;
use links::Links;
use pass::{How, Pass};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use tree::Directory;
use workyard_planted::planted;

/// How much is followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) files_max: usize,
    pub(crate) digest_bytes_max: u64,
    pub(crate) links_max: usize,
    pub(crate) follow_links: bool,
}

/// What a look at the suspects has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) changes: Vec<Change>,
    /// What was written to while it was looked at.
    pub(crate) unstable: Vec<PathBuf>,
    /// What could not be looked at: directories, and in each a path that could not, or itself.
    pub(crate) unknown: BTreeMap<PathBuf, PathBuf>,
    /// Whether a directory can be looked at, but not be observed.
    pub(crate) unobserved: bool,
    /// The limit that kept a directory from being observed, as `sysctl` names it.
    pub(crate) limit: Option<&'static str>,
    /// Whether there were more files than may be followed.
    pub(crate) too_many: bool,
    /// Directories that are below too many others.
    pub(crate) too_deep: Option<PathBuf>,
    /// The inodes of files that differ, and have other names, too.
    shared: BTreeSet<u64>,
    /// Roots that have gone, and that have come back.
    pub(crate) gone: Vec<PathBuf>,
    pub(crate) back: Vec<PathBuf>,
}

impl Found {
    /// A path could not be looked at: what is in `directory` is as it was, until it can.
    fn cannot_tell(&mut self, directory: &Path, path: &Path) {
        self.unknown.entry(directory.to_owned()).or_insert_with(|| path.to_owned());
    }
}

/// A directory that is followed with all below it, or one file in it.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    filter: Filter,
    /// The rules of directories above.
    above: Chain,
    directory: Option<Directory>,
}

/// The files of all roots.
#[derive(Debug)]
pub(crate) struct Snapshot {
    roots: Vec<Root>,
    bounds: Bounds,
    files: usize,
    links: Links,
    backlog: Backlog,
}

impl Snapshot {
    /// Nothing yet.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let (links, backlog) = (Links::new(bounds.links_max), Backlog::default());
        Self { roots: Vec::new(), bounds, files: 0, links, backlog }
    }

    /// Takes in a directory as it is now, or the one file `only` of it.
    ///
    /// # Errors
    /// When a pattern is wrong.
    pub(crate) fn add<D: Disk>(
        &mut self,
        disk: &mut D,
        path: PathBuf,
        only: Option<OsString>,
        wishes: &Wishes,
    ) -> Result<Found, PatternError> {
        let filter = Filter::new(&path, only, wishes)?;
        let above = Chain::default();
        self.roots.push(Root { path, filter, above, directory: None });
        let (mut found, none) = (Found::default(), Suspects::default());
        self.root(disk, self.roots.len() - 1, &none, How::First, &mut found);
        Ok(found)
    }

    /// How many files are followed.
    pub(crate) fn files(&self) -> usize {
        self.files
    }

    /// Where the roots are, and whether they are there.
    pub(crate) fn roots(&self) -> impl Iterator<Item = (&Path, Option<&Directory>)> {
        self.roots.iter().map(|root| (root.path.as_path(), root.directory.as_ref()))
    }

    /// Symbolic links that lead to something else than at the last look, which may not be told.
    pub(crate) fn changed_links<D: Disk>(&self, disk: &mut D) -> Vec<PathBuf> {
        self.links.changed(disk)
    }

    /// Symbolic links that lead to this path.
    pub(crate) fn links_to(&self, path: &Path) -> impl Iterator<Item = &Path> {
        self.links.leading_to(path)
    }

    /// Whether a change of this path could be one: its directory is entered, and it is not ignored.
    /// If `rules_change`, ignore files do not count, as they are not known.
    pub(crate) fn concerns(&mut self, path: &Path, directory: bool, rules_change: bool) -> Concern {
        let mut concern = Concern::No;
        for root in &mut self.roots {
            concern = concern.max(root.concerns(path, directory, rules_change));
        }
        concern
    }

    /// Roots above which other rules hold by now. They are observed no more than what else is there.
    pub(crate) fn under_other_rules<D: Disk>(&self, disk: &mut D) -> Vec<PathBuf> {
        let mut differ = |root: &&Root| {
            root.texts_above(disk).is_ok_and(|texts| !root.above.is_of(texts.iter().map(texts_of)))
        };
        self.roots.iter().filter(|root| differ(root)).map(|root| root.path.clone()).collect()
    }

    /// Whether a path names rules that are obeyed.
    pub(crate) fn is_rules(&self, path: &Path) -> bool {
        let mut roots = self.roots.iter().filter(|root| path.starts_with(&root.path));
        roots.any(|root| root.is_rules(path))
    }

    /// Compares the suspects with what they were, and remembers what they are. When `patient`, what
    /// is being written to is left for later.
    pub(crate) fn examine<D: Disk>(
        &mut self,
        disk: &mut D,
        suspects: &Suspects,
        patient: bool,
    ) -> Found {
        let mut found = Found::default();
        let how = How::Loud { patient };
        for index in 0..self.roots.len() {
            let path = &self.roots[index].path;
            if suspects.everything || suspects.covers(path) {
                self.root(disk, index, suspects, how, &mut found);
            } else {
                self.below(disk, index, suspects, how, &mut found);
            }
        }
        if !found.shared.is_empty() && !suspects.everything {
            self.other_names(disk, suspects, how, &mut found);
        }
        found
    }

    /// A file is told of by the name that it was written by only: it is looked at by its others.
    fn other_names<D: Disk>(
        &mut self,
        disk: &mut D,
        suspects: &Suspects,
        how: How,
        found: &mut Found,
    ) {
        let inodes = std::mem::take(&mut found.shared);
        let mut names = Vec::new();
        for root in &self.roots {
            if let Some(directory) = &root.directory {
                directory.names_of(&inodes, &mut root.path.clone(), &mut names);
            }
        }
        names.retain(|name| !suspects.covers(name));
        let paths: BTreeMap<_, _> = names.into_iter().map(|name| (name, Reach::Path)).collect();
        let others = Suspects { paths, everything: false };
        for index in 0..self.roots.len() {
            self.below(disk, index, &others, how, found);
        }
    }

    /// Enters directories that have just come to be, so that what happens in them is told.
    pub(crate) fn announce<D: Disk>(&mut self, disk: &mut D, path: &Path) {
        if planted!("new-directory-looks-quiet") {
            return;
        }
        for (index, root) in self.roots.iter_mut().enumerate() {
            root.announce(disk, path, Holder::Root(index));
        }
    }

    fn root<D: Disk>(
        &mut self,
        disk: &mut D,
        index: usize,
        suspects: &Suspects,
        how: How,
        found: &mut Found,
    ) {
        let path = self.roots[index].path.clone();
        let Ok(stat) = disk.look(&path, true) else {
            found.cannot_tell(&path, &path);
            return;
        };
        let stat = stat.filter(|stat| stat.kind == Kind::Directory);
        let directory = self.roots[index].directory.take();
        let (was, is) = (directory.is_some(), stat.is_some());
        let hidden = Hidden::By(self.roots[index].above.clone());
        // What cannot be read is as it was, and looked at each second in any case.
        if let Ok(texts) = self.roots[index].texts_above(disk) {
            self.roots[index].above = chain_of(&texts);
        }
        let chain = self.roots[index].above.clone();
        let mut pass = self.pass(disk, index, suspects, how, found);
        pass.hidden = hidden;
        let directory = pass.root(directory, stat.as_ref(), &path, &chain);
        self.roots[index].directory = directory;
        match (was, is) {
            (true, false) => found.gone.push(path),
            (false, true) if how != How::First => found.back.push(path),
            _ => {}
        }
    }

    fn below<D: Disk>(
        &mut self,
        disk: &mut D,
        index: usize,
        suspects: &Suspects,
        how: How,
        found: &mut Found,
    ) {
        let Some(mut top) = self.roots[index].directory.take() else { return };
        let (path, above) = (self.roots[index].path.clone(), self.roots[index].above.clone());
        let mut pass = self.pass(disk, index, suspects, how, found);
        let obeys = pass.filter.has_ignore_files();
        let is_rules = |path: &Path| obeys && path.file_name().is_some_and(is_rules_name);
        // Rules first: they say which of the others count.
        for rules in [true, false] {
            let mut suspected = suspects.paths.range(path.clone()..);
            while let Some((suspect, reach)) = suspected.next().filter(|at| at.0.starts_with(&path))
            {
                if is_rules(suspect) != rules || suspects.reaches(suspect) {
                    continue;
                }
                let relative = suspect.parent().and_then(|parent| parent.strip_prefix(&path).ok());
                let Some(relative) = relative else { continue };
                let Some(place) = top.descend(relative, &above) else { continue };
                if rules {
                    pass.rules(place, suspect);
                } else {
                    pass.suspect(place, suspect, *reach);
                }
            }
        }
        self.roots[index].directory = Some(top);
    }

    fn pass<'a, D: Disk>(
        &'a mut self,
        disk: &'a mut D,
        index: usize,
        suspects: &'a Suspects,
        how: How,
        found: &'a mut Found,
    ) -> Pass<'a, D> {
        Pass {
            disk,
            root: index,
            filter: &self.roots[index].filter,
            bounds: &self.bounds,
            suspects,
            how,
            hidden: Hidden::Nothing,
            found,
            files: &mut self.files,
            links: &mut self.links,
            backlog: &mut self.backlog,
            above: Vec::new(),
        }
    }
}

/// Whether a path may be suspected of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concern {
    /// It is ignored, or nowhere near.
    No,
    /// It lies in a directory that was not looked at yet, but is going to be.
    Later,
    /// Yes.
    Yes,
}

impl Root {
    fn texts_above<D: Disk>(&self, disk: &mut D) -> io::Result<Vec<RulesTexts>> {
        if self.filter.has_ignore_files() { texts_above(disk, &self.path) } else { Ok(Vec::new()) }
    }

    fn is_rules(&self, path: &Path) -> bool {
        self.filter.has_ignore_files() && path.file_name().is_some_and(is_rules_name)
    }

    fn concerns(&mut self, path: &Path, directory: bool, rules_change: bool) -> Concern {
        if path == self.path {
            return Concern::Yes;
        }
        // The one file may be a link, whatever that leads to.
        let directory = directory && !self.filter.is_of_one_file();
        let Some(relative) = path.strip_prefix(&self.path).ok().and_then(Path::parent) else {
            return Concern::No;
        };
        if !directory && self.is_rules(path) {
            return Concern::Yes;
        }
        let top = self.directory.as_mut();
        let within =
            top.and_then(|top| top.descend(relative, &self.above)).map(|place| place.chain);
        let (counts, concern) = match within {
            Some(_) if rules_change => {
                let chain = Chain::default();
                let enters = directory && self.filter.enters(path, &chain);
                (enters || self.filter.may_count(path), Concern::Yes)
            }
            Some(chain) if directory => (self.filter.enters(path, &chain), Concern::Yes),
            Some(chain) => (self.filter.counts(path, &chain), Concern::Yes),
            None if !rules_change && !self.reaches(path) => return Concern::No,
            None if directory => (true, Concern::Later),
            None => (self.filter.may_count(path), Concern::Later),
        };
        if counts { concern } else { Concern::No }
    }

    /// Whether the directories above a path are entered, or are going to be: another root or a link
    /// may be why something is told of an ignored one.
    fn reaches(&mut self, path: &Path) -> bool {
        let Some(top) = &mut self.directory else { return true };
        let ways = path.ancestors().skip(1).filter_map(|above| {
            let relative = above.strip_prefix(&self.path).ok()?.parent()?;
            Some((above, top.descend(relative, &self.above)?.chain))
        });
        // The innermost that can be told of: those above it are entered.
        let innermost = ways.into_iter().next();
        innermost.is_none_or(|(above, chain)| self.filter.enters(above, &chain))
    }

    fn announce<D: Disk>(&mut self, disk: &mut D, path: &Path, holder: Holder) {
        let Ok(relative) = path.strip_prefix(&self.path) else { return };
        let Some(parent) = relative.parent() else { return };
        let above = self.directory.as_mut().and_then(|top| top.descend(parent, &self.above));
        let chain = match above.map(|place| place.chain) {
            Some(chain) => chain,
            None if self.reaches(path) => Chain::default(),
            None => return,
        };
        announce(disk, holder, &self.filter, path, &chain, parent.components().count());
    }
}

fn announce<D: Disk>(
    disk: &mut D,
    holder: Holder,
    filter: &Filter,
    path: &Path,
    chain: &Chain,
    depth: usize,
) {
    if depth >= crate::limits::DEPTH_MAX || !filter.enters(path, chain) {
        return;
    }
    if disk.enter(path, holder).is_err() {
        return;
    }
    let Ok(listed) = disk.list(path) else { return };
    let names: Vec<_> = listed.iter().map(|(name, _)| name.as_os_str()).collect();
    let obeys = filter.has_ignore_files() && names.iter().any(|name| is_rules_name(name));
    let chain = if obeys { chain.with(read_rules(disk, path)) } else { chain.clone() };
    for (name, kind) in &listed {
        if *kind == Kind::Directory {
            announce(disk, holder, filter, &path.join(name), &chain, depth + 1);
        }
    }
}

/// A directory, and the texts of its `.gitignore` and its `.ignore`.
type RulesTexts = (PathBuf, String, String);

fn texts_of((_, git, plain): &RulesTexts) -> (&str, &str) {
    (git, plain)
}

fn chain_of(texts: &[RulesTexts]) -> Chain {
    texts.iter().fold(Chain::default(), |chain, (directory, git, plain)| {
        chain.with(Rules::new(directory, git, plain))
    })
}

/// The rules of the directories above a root, as far as the repository reaches that it is in.
fn texts_above<D: Disk>(disk: &mut D, root: &Path) -> io::Result<Vec<RulesTexts>> {
    let mut texts = Vec::new();
    for directory in root.ancestors() {
        if directory != root {
            let (git, plain) = rules_texts(disk, directory)?;
            texts.push((directory.to_owned(), git, plain));
        }
        if disk.look(&directory.join(".git"), true)?.is_some() {
            texts.reverse();
            return Ok(texts);
        }
    }
    // Without a repository they do not hold.
    Ok(Vec::new())
}

fn read_rules<D: Disk>(disk: &mut D, directory: &Path) -> Rules {
    let (git, plain) = rules_texts(disk, directory).unwrap_or_default();
    Rules::new(directory, &git, &plain)
}

/// The texts of `.gitignore` and `.ignore` in a directory; empty if there are none.
fn rules_texts<D: Disk>(disk: &mut D, directory: &Path) -> io::Result<(String, String)> {
    let mut text = |name| match disk.text(&directory.join(name), RULES_BYTES_MAX) {
        Err(error) if is_no_file(&error) => Ok(String::new()),
        text => text,
    };
    Ok((text(crate::filter::GIT)?, text(crate::filter::PLAIN)?))
}

fn is_no_file(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory | InvalidInput)
}

/// What a hint about a path reaches.
pub(crate) fn reach(directory: bool) -> Reach {
    if directory { Reach::Below } else { Reach::Path }
}

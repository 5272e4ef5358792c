//! Hints and time in, settled sets of changes out: what decides, apart from clocks and threads.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod memory;
mod repository;
mod unknown;

use crate::change::ChangeSet;
use crate::debounce::{Debouncer, Moment, Reach, Suspects, Timing};
use crate::disk::Disk;
use crate::filter::{PatternError, Wishes};
use crate::fingerprint::Kind;
use crate::notice::Notice;
use crate::snapshot::{Bounds, Concern, Difference, Found, Snapshot, reach};
use repository::Locks;
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use unknown::Unknown;
use workyard_planted::planted;

/// Something that may have happened to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) path: PathBuf,
    /// Whether it is, or was, a directory.
    pub(crate) directory: bool,
}

/// The monitor without its surroundings.
#[derive(Debug)]
pub(crate) struct Core<D> {
    disk: D,
    snapshot: Snapshot,
    debouncer: Debouncer,
    bounds: Bounds,
    locks: Locks,
    polled: BTreeSet<PathBuf>,
    unknown: Unknown,
    /// Whether rules are among the suspects.
    rules_change: bool,
    /// What the last look of a poll found different.
    observed: Vec<Difference>,
    /// What a poll finds different although it was looked at: a file too many, a link in a circle.
    left: HashSet<Difference>,
    /// Changes of a batch that is not settled as a whole.
    gathered: ChangeSet,
    notices: Vec<Notice>,
}

impl<D: Disk> Core<D> {
    pub(crate) fn new(disk: D, timing: Timing, bounds: Bounds) -> Self {
        Self {
            disk,
            snapshot: Snapshot::new(bounds),
            debouncer: Debouncer::new(timing),
            bounds,
            locks: Locks::default(),
            polled: BTreeSet::new(),
            unknown: Unknown::default(),
            rules_change: false,
            observed: Vec::new(),
            left: HashSet::new(),
            gathered: ChangeSet::default(),
            notices: Vec::new(),
        }
    }

    /// Takes in a root as it is now: a directory, or the one file `only` of it.
    ///
    /// # Errors
    /// When a pattern is wrong.
    pub(crate) fn add(
        &mut self,
        path: PathBuf,
        only: Option<OsString>,
        wishes: &Wishes,
    ) -> Result<(), PatternError> {
        self.locks.add(&mut self.disk, &path);
        let found = self.snapshot.add(&mut self.disk, path, only, wishes)?;
        self.note(&found);
        Ok(())
    }

    /// From now on this root is to be looked at again and again.
    pub(crate) fn poll_root(&mut self, root: PathBuf, reason: &'static str) {
        if self.polled.insert(root.clone()) {
            self.notices.push(Notice::Polled { root, reason });
        }
    }

    /// Anything may have happened in a root.
    pub(crate) fn suspect_root(&mut self, now: Moment, root: &Path) {
        self.debouncer.hint(now, root, Reach::Below);
    }

    /// Whether a directory is entered as far as its name says.
    pub(crate) fn follows(&mut self, directory: &Path) -> bool {
        self.snapshot.concerns(directory, true, false) == Concern::Yes
    }

    pub(crate) fn is_polled(&self) -> bool {
        !self.polled.is_empty()
    }

    pub(crate) fn files(&self) -> usize {
        self.snapshot.files()
    }

    pub(crate) fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    pub(crate) fn has_backlog(&self) -> bool {
        self.snapshot.has_backlog()
    }

    /// Reads content of some files that was not read yet.
    pub(crate) fn read_some(&mut self) {
        self.snapshot.read_some(&mut self.disk);
    }

    /// What there is to say since the last call.
    pub(crate) fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    pub(crate) fn hint(&mut self, now: Moment, hint: &Hint) {
        let directory = hint.directory || self.is_link(&hint.path);
        self.rules_change |= !directory && self.snapshot.is_rules(&hint.path);
        for link in self.snapshot.links_to(&hint.path) {
            self.debouncer.hint(now, link, Reach::Path);
        }
        match self.snapshot.concerns(&hint.path, directory, self.rules_change) {
            Concern::Yes => {
                if directory {
                    self.snapshot.announce(&mut self.disk, &hint.path);
                }
                self.debouncer.hint(now, &hint.path, reach(directory));
            }
            Concern::Later => {
                if directory {
                    self.snapshot.announce(&mut self.disk, &hint.path);
                }
                self.debouncer.stir(now);
            }
            Concern::No => {}
        }
    }

    /// There are more hints, which were not taken yet.
    pub(crate) fn hints_go_on(&mut self, now: Moment) {
        self.debouncer.goes_on(now);
    }

    /// Hints were lost.
    pub(crate) fn overflow(&mut self, now: Moment) {
        self.notices.push(Notice::Overflow);
        if planted!("overflow-is-forgotten") {
            return;
        }
        self.debouncer.hint_everything(now);
    }

    /// Everything shall be looked at.
    pub(crate) fn rescan(&mut self, now: Moment) {
        self.debouncer.hint_everything(now);
    }

    /// Looks whether roots, rules above them or what links lead to went, came or became others, which is
    /// not always told, and whether what could not be looked at can be now.
    pub(crate) fn check_roots(&mut self, now: Moment) {
        let mut suspects = self.unknown.take(&mut self.disk, self.bounds.follow_links);
        for (path, directory) in self.snapshot.roots() {
            let Ok(stat) = self.disk.look(path, true) else { continue };
            let stat = stat.filter(|stat| stat.kind == Kind::Directory);
            let same = match (directory, stat) {
                (Some(directory), Some(stat)) => directory.is(&stat),
                (was, is) => was.is_none() && is.is_none(),
            };
            if !same {
                suspects.push(path.to_owned());
            }
        }
        let under_other_rules = self.snapshot.under_other_rules(&mut self.disk);
        self.rules_change |= !under_other_rules.is_empty();
        for path in suspects.into_iter().chain(under_other_rules) {
            self.debouncer.hint(now, &path, Reach::Below);
        }
        for link in self.snapshot.changed_links(&mut self.disk) {
            self.debouncer.hint(now, &link, Reach::Path);
        }
    }

    /// Looks at the polled roots.
    pub(crate) fn poll(&mut self, now: Moment) {
        let fresh = self.differences();
        self.observe(now, fresh);
    }

    /// When there is something to take, unless more hints come.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        self.debouncer.next_deadline()
    }

    /// The same for who does not wait for an action to end: it asks what changed since it began.
    pub(crate) fn settled_at(&self) -> Option<Moment> {
        self.debouncer.settled_at()
    }

    /// What has changed and settled. Until [`Core::acted`] is called, no more is given out here.
    pub(crate) fn take(&mut self, now: Moment) -> Option<ChangeSet> {
        if self.next_deadline().is_none_or(|deadline| deadline > now) {
            return None;
        }
        let set = self.settle(now)?;
        self.debouncer.acting();
        Some(set)
    }

    /// From now on somebody waits for what changed since an action began.
    pub(crate) fn more_is_wanted(&mut self, now: Moment) {
        self.debouncer.wanted(now);
    }

    /// What has changed and settled since an action began.
    pub(crate) fn take_more(&mut self, now: Moment) -> Option<ChangeSet> {
        if self.settled_at().is_none_or(|deadline| deadline > now) {
            return None;
        }
        self.settle(now)
    }

    /// What was taken has been acted upon.
    pub(crate) fn acted(&mut self, now: Moment, well: bool) {
        self.debouncer.acted(now, well);
    }

    fn settle(&mut self, now: Moment) -> Option<ChangeSet> {
        let patient = !self.debouncer.is_impatient(now);
        if patient && (self.is_still_changing(now) || self.locks.is_held(&mut self.disk)) {
            self.debouncer.put_off(now);
            return None;
        }
        if !patient {
            self.locks.distrust(&mut self.disk);
        }
        let (mut suspects, first) = self.debouncer.take()?;
        self.rules_change = false;
        self.add_links(&mut suspects);
        self.leave_observed(&suspects);
        let found = self.snapshot.examine(&mut self.disk, &suspects, patient);
        self.note(&found);
        for change in found.changes {
            self.gathered.add(change);
        }
        if !found.unstable.is_empty() && !planted!("half-written-file-is-taken") {
            for path in &found.unstable {
                self.debouncer.hint(now, path, Reach::Path);
            }
            self.debouncer.resume(now, first);
            return None;
        }
        let mut set = std::mem::take(&mut self.gathered);
        set.took(now.saturating_sub(first));
        (!set.is_empty()).then_some(set)
    }

    /// Whether what a poll found different is different again.
    fn is_still_changing(&mut self, now: Moment) -> bool {
        if self.observed.is_empty() || planted!("copy-under-way-is-taken") {
            return false;
        }
        let fresh = self.differences();
        let changing = fresh != self.observed;
        if changing {
            self.observe(now, fresh);
        }
        changing
    }

    fn differences(&mut self) -> Vec<Difference> {
        let polled = &self.polled;
        let all = self.snapshot.differences(&mut self.disk, |root| polled.contains(root));
        let before = std::mem::take(&mut self.left);
        let (left, differences): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|difference| before.contains(difference));
        self.left.extend(left);
        differences
    }

    /// What a poll found different is looked at now. If it is found again, a look leaves it as it is.
    fn leave_observed(&mut self, suspects: &Suspects) {
        self.left.retain(|left| !suspects.everything && !suspects.covers(&left.path));
        let observed = std::mem::take(&mut self.observed);
        self.left.extend(observed.into_iter().filter(|difference| !difference.fresh));
    }

    fn observe(&mut self, now: Moment, differences: Vec<Difference>) {
        if differences == self.observed {
            return;
        }
        for difference in &differences {
            self.debouncer.hint(now, &difference.path, difference.reach);
        }
        self.observed = differences;
    }

    fn add_links(&mut self, suspects: &mut Suspects) {
        for link in self.snapshot.changed_links(&mut self.disk) {
            suspects.paths.entry(link).or_insert(Reach::Path);
        }
    }

    /// Whether a link is looked through at this path, whose name says nothing of what it leads to.
    fn is_link(&mut self, path: &Path) -> bool {
        let follow = self.bounds.follow_links;
        let look = |disk: &mut D| disk.look(path, false).ok().flatten();
        follow && look(&mut self.disk).is_some_and(|stat| stat.kind == Kind::Symlink)
    }

    fn note(&mut self, found: &Found) {
        self.unknown.add(&found.unknown);
        if found.unobserved {
            let roots: Vec<_> = self.snapshot.roots().map(|(root, _)| root.to_owned()).collect();
            for root in roots {
                self.poll_root(root, "the kernel does not let all directories be observed");
            }
        }
        if let Some(name) = found.limit {
            let roots: Vec<_> = self.snapshot.roots().map(|(root, _)| root.to_owned()).collect();
            let before = self.polled.len();
            self.polled.extend(roots);
            if self.polled.len() > before {
                self.notices.push(Notice::Limit { name });
            }
        }
        if found.too_many {
            let files_max = self.bounds.files_max;
            self.notices.push(Notice::TooManyFiles { files_max });
        }
        let deep = found.too_deep.iter().cloned();
        self.notices.extend(deep.map(|directory| Notice::TooDeep { directory }));
        let gone = found.gone.iter().cloned();
        self.notices.extend(gone.map(|root| Notice::RootGone { root }));
        let back = found.back.iter().cloned();
        self.notices.extend(back.map(|root| Notice::RootBack { root }));
    }
}

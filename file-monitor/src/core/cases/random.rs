//! Whatever is done in whatever order: in the end the monitor has told exactly what differs.

use super::script::{ROOT, bounds, timing, wishes};
use crate::change::{ChangeKind, ChangeSet};
use crate::core::Core;
use crate::core::memory::Memory;
use crate::debounce::Moment;
use crate::disk::Disk;
use crate::snapshot::Bounds;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
enum Operation {
    Write(usize, usize, u8),
    MakeDirectory(usize),
    MakeSocket(usize, usize),
    Remove(usize, usize),
    RemoveDirectory(usize),
    Rename(usize, usize, usize, usize),
    RenameDirectory(usize, usize),
    Mode(usize, usize, bool),
    Touch(usize, usize),
    Link(usize, usize, usize, usize),
    Wait(u64),
    Overflow(bool),
    Rules(usize, usize),
    StopClock(bool),
}

const DIRECTORIES: [&str; 5] = ["/p", "/p/d", "/p/d/e", "/p/f", "/out"];
/// A link that leads to a directory that comes and goes.
const LINK: &str = "/p/link";
const TARGET: &str = "/p/d";
const FILES: [&str; 3] = ["a", "b", "c"];
/// Texts of ignore files: names of files and directories, which `ignored` understands.
const RULES: [&str; 4] = ["", "c\n", "e\n", "b\nd\n"];

/// With hard links nothing moves out of the root or is ignored, as nobody tells what is written there.
fn operations(hard_links: bool) -> impl Strategy<Value = Vec<Operation>> {
    let directories = DIRECTORIES.len() - usize::from(hard_links);
    let (directory, file, inner) = (0..directories, 0..FILES.len(), 1..directories);
    let directory_with_rules = directory.clone();
    let operation = prop_oneof![
        6 => (directory.clone(), file.clone(), 0..3u8)
            .prop_map(|(directory, file, text)| Operation::Write(directory, file, text)),
        3 => inner.clone().prop_map(Operation::MakeDirectory),
        1 => (directory.clone(), file.clone()).prop_map(|(d, f)| Operation::MakeSocket(d, f)),
        2 => (directory.clone(), file.clone()).prop_map(|(d, f)| Operation::Remove(d, f)),
        1 => inner.clone().prop_map(Operation::RemoveDirectory),
        2 => (directory.clone(), file.clone(), directory.clone(), file.clone())
            .prop_map(|(d, f, e, g)| Operation::Rename(d, f, e, g)),
        2 => (inner.clone(), inner).prop_map(|(from, to)| Operation::RenameDirectory(from, to)),
        1 => (directory.clone(), file.clone(), any::<bool>())
            .prop_map(|(d, f, on)| Operation::Mode(d, f, on)),
        1 => (directory.clone(), file.clone()).prop_map(|(d, f)| Operation::Touch(d, f)),
        3 => (directory.clone(), file.clone(), directory, file).prop_map(move |(d, f, e, g)| {
            if hard_links { Operation::Link(d, f, e, g) } else { Operation::Touch(d, f) }
        }),
        3 => prop_oneof![Just(10u64), Just(60), Just(700)].prop_map(Operation::Wait),
        1 => any::<bool>().prop_map(Operation::Overflow),
        1 => any::<bool>().prop_map(Operation::StopClock),
        1 => (directory_with_rules, 0..RULES.len()).prop_map(move |(d, r)| {
            if hard_links { Operation::Touch(d, r % FILES.len()) } else { Operation::Rules(d, r) }
        }),
    ];
    prop::collection::vec(operation, 1..60)
}

fn is(disk: &mut Memory, path: &str) -> bool {
    disk.look(Path::new(path), false).is_ok_and(|found| found.is_some())
}

/// Does it, if it can be done.
fn operate(disk: &mut Memory, operation: &Operation) {
    let path =
        |directory: usize, file: usize| format!("{}/{}", DIRECTORIES[directory], FILES[file]);
    match *operation {
        Operation::Write(directory, file, text) if is(disk, DIRECTORIES[directory]) => {
            disk.write(&path(directory, file), ["one", "two", "three!"][usize::from(text)]);
        }
        Operation::MakeDirectory(at) if !is(disk, DIRECTORIES[at]) => {
            let parent = Path::new(DIRECTORIES[at]).parent().expect("it has one");
            if is(disk, parent.to_str().expect("it is text")) {
                disk.mkdir(DIRECTORIES[at]);
            }
        }
        Operation::MakeSocket(directory, file) if is(disk, DIRECTORIES[directory]) => {
            let path = path(directory, file);
            if !is(disk, &path) {
                disk.socket(&path);
            }
        }
        Operation::Remove(directory, file) if is(disk, &path(directory, file)) => {
            disk.remove(&path(directory, file));
        }
        Operation::RemoveDirectory(at) if is(disk, DIRECTORIES[at]) => {
            disk.remove_all(DIRECTORIES[at]);
        }
        Operation::Rename(directory, file, to, name) => {
            let (from, to, into) = (path(directory, file), path(to, name), DIRECTORIES[to]);
            if is(disk, &from) && is(disk, into) && from != to {
                disk.rename(&from, &to);
            }
        }
        Operation::RenameDirectory(from, to) => {
            let (from, to) = (DIRECTORIES[from], DIRECTORIES[to]);
            let parent = Path::new(to).parent().and_then(Path::to_str).expect("it has one");
            if is(disk, from) && !is(disk, to) && !to.starts_with(from) && is(disk, parent) {
                disk.rename(from, to);
            }
        }
        Operation::Mode(directory, file, on) if is(disk, &path(directory, file)) => {
            disk.chmod(&path(directory, file), if on { 0o755 } else { 0o644 });
        }
        Operation::Link(directory, file, to, name) => {
            let (from, to, into) = (path(directory, file), path(to, name), DIRECTORIES[to]);
            if is(disk, &from) && is(disk, into) && !is(disk, &to) {
                disk.hard_link(&from, &to);
            }
        }
        Operation::Touch(directory, file) if is(disk, &path(directory, file)) => {
            disk.touch(&path(directory, file));
        }
        Operation::Rules(directory, rules) if is(disk, DIRECTORIES[directory]) => {
            disk.write(&format!("{}/.gitignore", DIRECTORIES[directory]), RULES[rules]);
        }
        Operation::StopClock(stands) => disk.stop_clock(stands),
        _ => {}
    }
}

/// Each file's content and mode, and whether it is ignored.
/// Each file's content and mode, and whether it is ignored.
type Files = BTreeMap<PathBuf, (String, u32, bool)>;
type Rules = BTreeMap<PathBuf, String>;

/// Whether the rules of a directory above have a name that is on the way from there to the path.
fn is_ignored(rules: &Rules, path: &Path) -> bool {
    rules.iter().any(|(file, text)| {
        let below = file.parent().and_then(|directory| path.strip_prefix(directory).ok());
        let mut names = below.into_iter().flatten();
        names.any(|name| text.lines().any(|line| name == line))
    })
}

/// What has been told: the files, and the rules that held.
struct Known {
    files: Files,
    rules: Rules,
}

impl Known {
    /// Behind `LINK`, if it is there, the same is as in the directory that it leads to.
    fn of(disk: &mut Memory) -> Self {
        let mut all = disk.files(ROOT);
        if is(disk, LINK) && is(disk, TARGET) {
            all.retain(|(path, ..)| path != Path::new(LINK));
            let within = all.iter().filter_map(|(path, text, mode)| {
                let name = path.strip_prefix(TARGET).ok()?;
                Some((Path::new(LINK).join(name), text.clone(), *mode))
            });
            let within: Vec<_> = within.collect();
            all.extend(within);
        }
        let (rules, files): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(path, ..)| path.ends_with(".gitignore"));
        let rules = rules.into_iter().map(|(path, text, _)| (path, text)).collect();
        let file = |(path, text, mode): (PathBuf, String, u32)| {
            let ignored = is_ignored(&rules, &path);
            (path, (text, mode, ignored))
        };
        Self { files: files.into_iter().map(file).collect(), rules }
    }

    /// What counts at this path.
    fn at(&self, path: &Path) -> Option<(&str, u32)> {
        let (text, mode, ignored) = self.files.get(path)?;
        (!ignored).then_some((text.as_str(), *mode))
    }

    fn counted(&self) -> usize {
        self.files.values().filter(|(.., ignored)| !ignored).count()
    }
}

/// Checks that a set is what became of `before`, as it is in `now`.
fn check(set: &ChangeSet, before: &Known, now: &Known) {
    for path in before.files.keys().chain(now.files.keys()) {
        let kind = match (before.at(path), now.at(path)) {
            (None, Some(_)) => Some(ChangeKind::Created),
            (Some(_), None) if now.files.contains_key(path) => None,
            (Some(_), None) => Some(ChangeKind::Removed),
            (Some((old, _)), Some((new, _))) if old != new => Some(ChangeKind::Modified),
            (Some((_, old)), Some((_, new))) if old != new => Some(ChangeKind::Permissions),
            _ => None,
        };
        // Whether it was there already when it was ignored is not known, nor whether it still is.
        let was_ignored = kind == Some(ChangeKind::Created) && is_ignored(&before.rules, path);
        let is_ignored = kind == Some(ChangeKind::Removed) && is_ignored(&now.rules, path);
        let told = set.kind(path);
        assert!(
            told == kind || told.is_none() && (was_ignored || is_ignored),
            "{}: {told:?}, not {kind:?}",
            path.display()
        );
    }
}

fn hear(core: &mut Core<Memory>, now: Moment) {
    for hint in std::mem::take(&mut core.disk().hints) {
        core.hint(now, &hint);
    }
}

fn settle(core: &mut Core<Memory>, now: Moment, known: &mut Known) {
    while let Some(due) = core.next_deadline().filter(|due| *due <= now) {
        let real = Known::of(core.disk());
        let set = core.take(due).unwrap_or_default();
        check(&set, known, &real);
        *known = real;
        core.acted(due, true);
        // What rules have let in was not read.
        while core.has_backlog() {
            core.read_some();
        }
        hear(core, due);
    }
}

/// Follows these roots, of which the first is `ROOT`, while the operations are done.
fn follow(roots: &[&str], link: bool, operations: &[Operation]) -> Core<Memory> {
    let mut disk = Memory::new();
    disk.mkdir(ROOT);
    disk.mkdir("/out");
    if link {
        disk.symlink(TARGET, LINK);
    }
    let mut core = Core::new(disk, timing(), Bounds { follow_links: link, ..bounds() });
    for root in roots {
        core.add(root.into(), None, &wishes()).unwrap();
    }
    let mut known = Known::of(core.disk());
    let mut now = Moment::ZERO;
    for operation in operations {
        match operation {
            Operation::Wait(ms) => now += Moment::from_millis(*ms),
            Operation::Overflow(begins) => {
                let lost = std::mem::replace(&mut core.disk().deaf, *begins);
                if lost && !begins {
                    core.overflow(now);
                }
            }
            Operation::Link(..) => {
                operate(core.disk(), operation);
                hear(&mut core, now);
                // A name that goes before it was looked at says nothing of the others.
                now += Moment::from_millis(700);
            }
            // A path within another is followed whatever the rules above say of it, and a model of that is the code.
            Operation::Rules(..) if roots.len() > 1 => {}
            operation => operate(core.disk(), operation),
        }
        hear(&mut core, now);
        if !core.disk().deaf {
            settle(&mut core, now, &mut known);
        }
    }
    core.disk().deaf = false;
    core.overflow(now);
    settle(&mut core, now + Moment::from_secs(3600), &mut known);
    assert_eq!(known.files, Known::of(core.disk()).files);
    core
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_what_differs(operations in operations(false)) {
        let mut core = follow(&[ROOT], false, &operations);
        prop_assert_eq!(core.files(), Known::of(core.disk()).counted());
    }

    #[test]
    fn what_is_told_of_hard_links_is_what_differs(operations in operations(true)) {
        follow(&[ROOT], false, &operations);
    }

    #[test]
    fn what_is_told_of_paths_within_others_is_what_differs(operations in operations(false)) {
        follow(&[ROOT, "/p/d", "/p/d/e"], false, &operations);
    }

    #[test]
    fn what_is_told_of_two_names_is_what_differs(operations in operations(false)) {
        let mut core = follow(&[ROOT], true, &operations);
        prop_assert_eq!(core.files(), Known::of(core.disk()).counted());
    }
}

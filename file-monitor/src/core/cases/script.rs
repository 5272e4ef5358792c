//! Reads cases, and plays them.

use crate::core::Core;
use crate::core::memory::Memory;
use crate::debounce::{Moment, Timing};
use crate::filter::Wishes;
use crate::snapshot::Bounds;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const ROOT: &str = "/p";

/// One case.
pub(super) struct Script {
    pub(super) name: String,
    before: Vec<Vec<String>>,
    steps: Vec<(u64, Vec<String>)>,
    /// `TIME: kind path, kind path`, the paths relative.
    pub(super) expected: Vec<String>,
    /// Directories, and files of directories; the root if there is none.
    roots: Vec<(PathBuf, Option<OsString>)>,
    wishes: Wishes,
    bounds: Bounds,
    timing: Timing,
    read: bool,
    polled: bool,
    /// Whether actions take until a step says that they are over.
    slow: bool,
}

pub(super) fn wishes() -> Wishes {
    let (include, exclude, always, extensions) = (vec![], vec![], vec![], vec![]);
    Wishes { include, exclude, always, extensions, droppings: true, ignore_files: true }
}

pub(super) fn bounds() -> Bounds {
    Bounds { files_max: 1000, digest_bytes_max: 1000, links_max: 1000, follow_links: false }
}

pub(super) fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing { settle: ms(50), settle_max: ms(500), interval: ms(0), backoff: ms(1000) }
}

impl Script {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            before: vec![],
            steps: vec![],
            expected: vec![],
            roots: vec![],
            wishes: wishes(),
            bounds: bounds(),
            timing: timing(),
            read: true,
            polled: false,
            slow: false,
        }
    }

    pub(super) fn parse(text: &str) -> Vec<Self> {
        let mut cases: Vec<Self> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match line.strip_prefix("== ") {
                Some(name) => cases.push(Self::new(name)),
                None => cases.last_mut().expect("a case has begun").line(line),
            }
        }
        cases
    }

    fn line(&mut self, line: &str) {
        let (first, rest) = line.split_once(' ').expect("a line has two words");
        let words = || rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        match first {
            "has" => self.before.push(words()),
            "with" => self.set(&words()),
            time if time.ends_with(':') => self.expected.push(line.to_owned()),
            time => {
                let time = time.parse().unwrap_or_else(|_| panic!("no time: {line}"));
                self.steps.push((time, words()));
            }
        }
    }

    fn set(&mut self, words: &[String]) {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let ms = |text: &str| Duration::from_millis(text.parse().expect("milliseconds"));
        match words.as_slice() {
            ["extension", name] => self.wishes.extensions.push(name.into()),
            ["exclude", glob] => self.wishes.exclude.push((*glob).to_owned()),
            ["always", glob] => self.wishes.always.push((*glob).to_owned()),
            ["interval", time] => self.timing.interval = ms(time),
            ["settle", time] => self.timing.settle = ms(time),
            ["settle_max", time] => self.timing.settle_max = ms(time),
            ["files_max", count] => self.bounds.files_max = count.parse().expect("a count"),
            ["digest_bytes_max", bytes] => {
                self.bounds.digest_bytes_max = bytes.parse().expect("bytes");
            }
            ["root", path] => self.roots.push((at(path).into(), None)),
            ["file", path] => {
                let (directory, name) = path.rsplit_once('/').unwrap_or((ROOT, path));
                self.roots.push((at(directory).into(), Some(name.into())));
            }
            ["links_max", count] => self.bounds.links_max = count.parse().expect("a count"),
            ["links"] => self.bounds.follow_links = true,
            ["unread"] => self.read = false,
            ["polling"] => self.polled = true,
            ["slow", "actions"] => self.slow = true,
            other => panic!("no such setting: {other:?}"),
        }
    }

    pub(super) fn run(&self) -> Vec<String> {
        let mut disk = Memory::new();
        disk.mkdir(ROOT);
        for words in &self.before {
            operate(&mut disk, words);
        }
        disk.hints.clear();
        disk.deaf = self.polled;
        let mut core = Core::new(disk, self.timing, self.bounds);
        let root = [(ROOT.into(), None)];
        let roots = if self.roots.is_empty() { root.as_slice() } else { &self.roots };
        for (path, only) in roots {
            core.add(path.clone(), only.clone(), &self.wishes).expect("the patterns are right");
        }
        if self.polled {
            core.poll_root(ROOT.into(), "the case says so");
        }
        let mut stage = Stage { core, slow: self.slow, out: Vec::new() };
        if self.read {
            stage.read();
        }
        for (time, words) in &self.steps {
            let now = Moment::from_millis(*time);
            stage.until(now);
            stage.step(now, words);
        }
        stage.until(Moment::from_secs(3600));
        stage.out
    }
}

struct Stage {
    core: Core<Memory>,
    slow: bool,
    out: Vec<String>,
}

impl Stage {
    /// Takes what is due before `now`.
    fn until(&mut self, now: Moment) {
        for looks in 0.. {
            let Some(due) = self.core.next_deadline().filter(|due| *due < now) else { return };
            assert!(looks < 10_000, "it spins");
            if let Some(set) = self.core.take(due) {
                self.out.push(shown(due, &set));
                if !self.slow {
                    self.core.acted(due, true);
                }
            }
            self.forward(due);
        }
    }

    /// What happened while the monitor looked is told behind it.
    fn forward(&mut self, now: Moment) {
        for hint in std::mem::take(&mut self.core.disk().hints) {
            self.core.hint(now, &hint);
        }
    }

    fn read(&mut self) {
        while self.core.has_backlog() {
            self.core.read_some();
        }
    }

    fn step(&mut self, now: Moment, words: &[String]) {
        let words_: Vec<_> = words.iter().map(String::as_str).collect();
        match words_.as_slice() {
            ["acted", how] => self.core.acted(now, *how == "well"),
            ["more"] => {
                self.core.more_is_wanted(now);
                let set = self.core.take_more(now);
                self.out.push(
                    set.map_or(format!("{}: no more", now.as_millis()), |set| shown(now, &set)),
                );
            }
            ["read"] => self.read(),
            ["is", "quiet"] => {
                let quiet = if self.core.next_deadline().is_none() { "quiet" } else { "not quiet" };
                self.out.push(format!("{}: {quiet}", now.as_millis()));
            }
            ["notices"] => {
                let notices = self.core.notices();
                let names: Vec<_> = notices.iter().map(crate::Notice::name).collect();
                self.out.push(format!("{}: notices {}", now.as_millis(), names.join(", ")));
            }
            ["poll"] => self.core.poll(now),
            ["overflow"] => {
                self.core.disk().deaf = false;
                self.core.overflow(now);
            }
            ["look", "at", "roots"] => self.core.check_roots(now),
            _ => operate(self.core.disk(), words),
        }
        self.forward(now);
    }
}

pub(super) fn shown(now: Moment, set: &crate::ChangeSet) -> String {
    let changes: Vec<_> = set
        .iter()
        .map(|(path, kind)| {
            let path = path.strip_prefix(ROOT).unwrap_or(path);
            format!("{kind} {}", path.display())
        })
        .collect();
    format!("{}: {}", now.as_millis(), changes.join(", "))
}

/// Below the root, unless it is absolute.
fn at(path: &str) -> String {
    Path::new(ROOT).join(path).display().to_string()
}

fn operate(disk: &mut Memory, words: &[String]) {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", path, content @ ..] => {
            disk.write(&at(path), &content.join(" ").replace("\\n", "\n"));
        }
        ["mkdir", path] => disk.mkdir(&at(path)),
        ["rm", path] => disk.remove(&at(path)),
        ["rm", "-r", path] => disk.remove_all(&at(path)),
        ["mv", old, new] => {
            replace(disk, &at(new));
            disk.rename(&at(old), &at(new));
        }
        ["touch", path] => disk.touch(&at(path)),
        ["chmod", mode, path] => {
            disk.chmod(&at(path), u32::from_str_radix(mode, 8).expect("an octal mode"));
        }
        ["link", old, new] => disk.hard_link(&at(old), &at(new)),
        ["socket", path] => disk.socket(&at(path)),
        ["symlink", target, path] => disk.symlink(target, &at(path)),
        ["rewrite", path, content] => {
            let modified = disk.modified(&at(path));
            disk.write(&at(path), content);
            disk.set_modified(&at(path), modified);
        }
        ["deny", path] => disk.denied = Some(at(path).into()),
        ["allow"] => disk.denied = None,
        ["descriptors", "out"] => disk.descriptors_out = true,
        ["descriptors", "back"] => disk.descriptors_out = false,
        ["refuse"] => disk.refuses = true,
        ["clock", "stands"] => disk.stop_clock(true),
        ["clock", "goes"] => disk.stop_clock(false),
        ["hears"] => disk.deaf = false,
        ["deaf"] => disk.deaf = true,
        ["unstable", times] => disk.unstable = times.parse().expect("a count"),
        ["directories_max", count] => disk.enters_max = count.parse().expect("a count"),
        other => panic!("no such operation: {other:?}"),
    }
}

/// What a rename replaces is told of with the rename only.
fn replace(disk: &mut Memory, path: &str) {
    use crate::disk::Disk;
    if disk.look(Path::new(path), false).is_ok_and(|found| found.is_some()) {
        let deaf = std::mem::replace(&mut disk.deaf, true);
        disk.remove(path);
        disk.deaf = deaf;
    }
}

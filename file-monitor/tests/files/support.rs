//! A folder that is followed, and what is expected to come of what is done in it.

#![expect(clippy::unwrap_used, reason = "only tests have this, which fail by it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use workyard_file_monitor::{ChangeSet, Monitor, MonitorBuilder, Notice};

/// Longer than any set takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than a busy machine stands still.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Folder {
    folder: TempDir,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("p")).unwrap();
        Self { folder, notices: Arc::default() }
    }

    /// Below the followed directory; beside it with `../`.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        match name.strip_prefix("../") {
            Some(beside) => self.folder.path().join(beside),
            None => self.folder.path().join("p").join(name),
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("p")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        let path = self.at(name);
        match path.is_dir() && !path.is_symlink() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }

    /// Runs a command in the folder; it must succeed.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root()).stdin(Stdio::null());
        // Nothing of the user's settings plays a part.
        command.env("HOME", self.folder.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    }

    pub(crate) fn builder(&self) -> MonitorBuilder {
        let notices = Arc::clone(&self.notices);
        Monitor::builder()
            .path(self.root())
            .interval(Duration::ZERO)
            .on_notice(move |notice| notices.lock().unwrap().push(notice.clone()))
    }

    pub(crate) async fn follow(&self) -> Followed<'_> {
        self.follow_by(self.builder()).await
    }

    /// For steps that are one set, also where a busy machine stands still between them.
    pub(crate) async fn follow_patiently(&self) -> Followed<'_> {
        self.follow_by(self.builder().settle(PAUSE)).await
    }

    pub(crate) async fn follow_by(&self, builder: MonitorBuilder) -> Followed<'_> {
        let monitor = start(builder).await;
        Followed { folder: self, monitor }
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock().unwrap())
    }
}

pub(crate) struct Followed<'a> {
    folder: &'a Folder,
    pub(crate) monitor: Monitor,
}

impl Followed<'_> {
    /// The next set is exactly this, as `modified a.php`, and then there is nothing.
    pub(crate) async fn exactly(&mut self, expected: &[&str]) {
        let set = self.set().await;
        assert_eq!(self.shown(&set), expected);
        self.nothing().await;
    }

    /// The next set.
    pub(crate) async fn set(&mut self) -> ChangeSet {
        let next = tokio::time::timeout(PATIENCE, self.monitor.next());
        next.await.expect("something has changed").expect("the monitor runs")
    }

    /// Nothing has changed: a file that is written now is the only one in the next set.
    pub(crate) async fn nothing(&mut self) {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("marker-{count}");
        self.folder.write(&name, "x");
        let set = self.set().await;
        assert_eq!(self.shown(&set), [format!("created {name}")]);
        self.folder.remove(&name);
        let set = self.set().await;
        assert_eq!(self.shown(&set), [format!("removed {name}")]);
    }

    pub(crate) fn shown(&self, set: &ChangeSet) -> Vec<String> {
        let root = self.folder.root();
        let name = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
        set.iter().map(|(path, kind)| format!("{kind} {}", name(path))).collect()
    }
}

/// A monitor that knows all content.
pub(crate) async fn start(builder: MonitorBuilder) -> Monitor {
    let mut monitor = builder.start().await.unwrap();
    tokio::time::timeout(PATIENCE, monitor.read_all()).await.unwrap();
    monitor
}

/// A pause within a save, much shorter than the window that ends on quiet.
pub(crate) fn moment() {
    std::thread::sleep(Duration::from_millis(3));
}

//! A program that runs, and its commands.

use std::fmt::Display;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing here takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An example in a folder of its own, where its files lie too.
pub(crate) struct Program {
    folder: TempDir,
    name: String,
    environment: Vec<(String, String)>,
    supervisor: Option<Child>,
}

impl Program {
    /// Not started yet.
    pub(crate) fn new(name: &str) -> Self {
        let built = examples().join(name);
        let folder = tempfile::tempdir_in(examples()).unwrap();
        // The file itself would show the way back to the folder of all examples.
        std::fs::hard_link(&built, folder.path().join(name)).unwrap();
        Self { folder, name: name.to_owned(), environment: Vec::new(), supervisor: None }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path());
        command.args(arguments).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs one of its commands to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts it in the foreground, and waits until it says that it has.
    #[track_caller]
    pub(crate) fn start(mut self) -> Self {
        let out = std::fs::File::create(self.folder().join("printed")).unwrap();
        let mut command = self.command(&["start"]);
        command.stdout(out.try_clone().unwrap()).stderr(out);
        self.supervisor = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while !self.printed().contains("Start success") {
            assert!(begun.elapsed() < PATIENCE, "it does not start: {}", self.printed());
            let status = self.supervisor.as_mut().unwrap().try_wait().unwrap();
            assert!(status.is_none(), "it ends: {status:?}, {}", self.printed());
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    /// What it has printed.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(self.folder().join("printed")).unwrap_or_default()
    }

    /// Waits until it has printed this.
    #[track_caller]
    pub(crate) fn prints(&self, text: &str) {
        let begun = Instant::now();
        while !self.printed().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "{text:?} is not in {}", self.printed());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            let stopped = self.run(&["stop"]);
            if !stopped.status.success() {
                let _ = supervisor.kill();
            }
            let _ = supervisor.wait();
        }
    }
}

/// Where this build has put the examples.
fn examples() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile.join("examples")
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

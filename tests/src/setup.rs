//! How a daemon is to be started: flags, environment, configuration file, what it inherits.

use crate::daemon::{Daemon, Exit};
use crate::{Service, binary};
use std::ffi::OsString;
use std::fs;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The variable that names a planted bug.
const PLANTED: &str = "WORKYARD_PLANTED";

/// A daemon that is not started yet. It lives in a folder of its own, which goes away with it.
#[derive(Debug)]
pub struct Setup<W> {
    folder: TempDir,
    arguments: Vec<OsString>,
    variables: Vec<(String, OsString)>,
    /// Shell commands that come before the daemon takes the shell's place.
    prologue: String,
    passed: Option<OwnedFd>,
    listens: bool,
    wire: PhantomData<W>,
}

impl<W: Service> Setup<W> {
    /// As it comes, but on a port that the system chooses and with a log for programs.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    #[must_use]
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a folder for temporary files"),
            arguments: Vec::new(),
            variables: Vec::new(),
            prologue: String::new(),
            passed: None,
            listens: false,
            wire: PhantomData,
        }
    }

    /// With a flag and its value.
    #[must_use]
    pub fn flag(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.arguments.push(name.into());
        self.arguments.push(value.into());
        self
    }

    /// With a flag that has no value.
    #[must_use]
    pub fn switch(mut self, name: &str) -> Self {
        self.arguments.push(name.into());
        self
    }

    /// With an environment variable; daemons have no others.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// With so much time for silence that the busiest machine does not end a connection by it.
    #[must_use]
    pub fn patient(self) -> Self {
        self.flag("--heartbeat", "2m").flag("--hello-timeout", "2m")
    }

    /// With a configuration file.
    #[must_use]
    pub fn file(self, text: &str) -> Self {
        let path = self.file_path();
        fs::write(&path, text).expect("the folder takes files");
        self.flag("--config", path)
    }

    /// Listening on a unix socket of this name in the daemon's folder, instead of on a port.
    #[must_use]
    pub fn unix_socket(self, name: &str) -> Self {
        let path = self.path(name);
        self.listen(&format!("unix://{}", path.display()))
    }

    /// Listening here, instead of on a port that the system chooses; may be said again.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Self {
        self.listens = true;
        self.flag("--listen", address)
    }

    /// Listening where the file or the environment says.
    #[must_use]
    pub fn listen_elsewhere(mut self) -> Self {
        self.listens = true;
        self
    }

    /// With so many descriptors at most, which it cannot raise.
    #[must_use]
    pub fn descriptors_max(mut self, count: u32) -> Self {
        self.prologue.push_str(&format!("ulimit -n {count}; "));
        self
    }

    /// With so many descriptors at first, which it can raise.
    #[must_use]
    pub fn soft_descriptors_max(mut self, count: u32) -> Self {
        self.prologue.push_str(&format!("ulimit -S -n {count}; "));
        self
    }

    /// With an open socket, passed as systemd passes them.
    #[must_use]
    pub fn passing(mut self, socket: OwnedFd) -> Self {
        self.passed = Some(socket);
        let script = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; ";
        self.prologue.push_str(script);
        self.listen_elsewhere()
    }

    /// A path in the daemon's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the configuration file is, if there is one.
    #[must_use]
    pub fn file_path(&self) -> PathBuf {
        self.path("daemon.toml")
    }

    /// Starts it and waits until it listens.
    #[must_use]
    #[track_caller]
    pub fn start(mut self) -> Daemon<W> {
        if !self.listens {
            self = self.listen("127.0.0.1:0");
        }
        Daemon::start(self.flag("--log-format", "json"))
    }

    /// Runs it to its end, exactly as it was set up.
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Exit {
        Exit::of(self.command(&self.arguments))
    }

    pub(crate) fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    pub(crate) fn command(&self, arguments: &[OsString]) -> Command {
        let binary = binary(W::KIND);
        let mut command = self.program(&binary);
        command.args(arguments);
        command.env_clear().envs(self.variables.iter().cloned());
        // The bug that the suites are to find, when they are run to show that they do.
        command.envs(std::env::var_os(PLANTED).map(|bug| (PLANTED, bug)));
        command.current_dir(self.folder.path());
        command.stdin(self.passed.as_ref().map_or_else(Stdio::null, |socket| {
            socket.try_clone().expect("a descriptor is left").into()
        }));
        command
    }

    fn program(&self, binary: &Path) -> Command {
        if self.prologue.is_empty() {
            return Command::new(binary);
        }
        let mut shell = Command::new("/bin/sh");
        let script = format!("{}exec \"$0\" \"$@\"", self.prologue);
        shell.arg("-c").arg(script).arg(binary);
        shell
    }
}

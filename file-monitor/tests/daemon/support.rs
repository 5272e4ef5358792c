//! A daemon that follows a folder, and what it says.

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("p")).unwrap();
        Self(folder)
    }

    /// Below the followed directory; beside it with `../`.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        match name.strip_prefix("../") {
            Some(beside) => self.0.path().join(beside),
            None => self.0.path().join("p").join(name),
        }
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    /// Starts a daemon with these flags, and waits until it is ready.
    pub(crate) fn follow(&self, flags: &[&str]) -> Daemon {
        let mut daemon = self.start(flags);
        daemon.until("ready");
        daemon
    }

    /// Starts a daemon with these flags.
    pub(crate) fn start(&self, flags: &[&str]) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_file-monitor"));
        command.current_dir(self.at("")).args(["--json", "--interval", "0s"]).args(flags);
        Daemon::spawn(&mut command)
    }

    /// Starts a daemon that may have so many of a thing that the kernel gives to users, as
    /// `/proc/sys/user` names it: a user namespace has limits of its own.
    pub(crate) fn start_within(&self, limit: &str, count: usize, flags: &[&str]) -> Daemon {
        self.start_after(&format!("echo {count} > /proc/sys/user/{limit}"), flags)
    }

    /// Starts a daemon in user and mount namespaces of its own, in which this was done before.
    pub(crate) fn start_after(&self, script: &str, flags: &[&str]) -> Daemon {
        let script = format!("{script} && exec \"$@\"");
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_file-monitor")]);
        command.current_dir(self.at("")).args(["--json", "--interval", "0s"]).args(flags);
        Daemon::spawn(&mut command)
    }

    /// Starts a daemon whose standard error is a terminal, which is there until what is returned with
    /// it is dropped.
    pub(crate) fn start_at_a_terminal(&self, words: &[&str]) -> (OwnedFd, Daemon) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = openpt(flags).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let side = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_file-monitor"));
        command.current_dir(self.at("")).args(["--json", "--interval", "0s"]).args(words);
        command.stderr(side);
        (terminal, Daemon::begin(&mut command))
    }
}

pub(crate) struct Daemon {
    child: Child,
    lines: Receiver<Value>,
    errors: Receiver<String>,
}

impl Daemon {
    fn spawn(command: &mut Command) -> Self {
        Self::begin(command.stderr(Stdio::piped()))
    }

    fn begin(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if send.send(event).is_err() {
                    return;
                }
            }
        });
        let (send, errors) = channel();
        let stderr = child.stderr.take();
        std::thread::spawn(move || {
            for line in stderr
                .into_iter()
                .flat_map(|stderr| BufReader::new(stderr).lines())
                .map_while(Result::ok)
            {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, errors }
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(event) => event,
            Err(error) => panic!("{error}; it said: {:?}", self.errors()),
        }
    }

    /// The next event, which is of this name.
    pub(crate) fn expect(&mut self, name: &str) -> Value {
        let event = self.next();
        assert_eq!(event["event"], name, "{:.300}", event.to_string());
        event
    }

    /// The next event of this name; others before it are passed over.
    pub(crate) fn until(&mut self, name: &str) -> Value {
        loop {
            let event = self.next();
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Nothing is said for so long.
    pub(crate) fn is_silent(&mut self, time: Duration) {
        assert_eq!(self.lines.recv_timeout(time), Err(RecvTimeoutError::Timeout));
    }

    /// What it and its programs said on standard error until now.
    pub(crate) fn errors(&mut self) -> Vec<String> {
        self.errors.try_iter().collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(&self.child), signal).unwrap();
    }

    /// Whether it hears this signal by now, and does not just die of it.
    pub(crate) fn catches(&self, signal: Signal) -> bool {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|caught| u64::from_str_radix(caught.trim(), 16).ok());
        caught.is_some_and(|caught| caught & (1 << (signal.as_raw() - 1)) != 0)
    }

    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        until(|| self.child.try_wait().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // First kindly, so that it ends its programs.
            let _ = kill_process(pid(&self.child), Signal::TERM);
            std::thread::sleep(Duration::from_millis(300));
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Whether a process of this number is there and has not ended.
pub(crate) fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "it takes too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The paths that changed, by their names below `folder`.
pub(crate) fn names(event: &Value, folder: &Path) -> Vec<String> {
    let root = folder.to_str().unwrap().trim_end_matches('/');
    let name = |change: &Value| {
        let path = change["path"].as_str().unwrap();
        format!(
            "{} {}",
            change["kind"].as_str().unwrap(),
            path.trim_start_matches(root).trim_matches('/')
        )
    };
    event["changes"].as_array().unwrap().iter().map(name).collect()
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

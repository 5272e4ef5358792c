//! A service in a folder of its own, its commands, and those who connect to it.

use crate::program;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Long enough for a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A service, which is stopped when this is dropped.
pub(crate) struct App {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended, and what it has said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
}

/// A service in the foreground, killed when this is dropped.
pub(crate) struct Foreground {
    pub(crate) child: Child,
}

/// A connection that speaks lines.
pub(crate) struct Peer {
    stream: BufReader<TcpStream>,
}

/// Who has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer {
    pub(crate) id: u32,
    pub(crate) pid: u32,
    /// Of the program that runs.
    pub(crate) length: u64,
    pub(crate) uid: u32,
}

impl App {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Other users are to reach the program, too.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), mode).expect("it is ours");
        let test = std::env::current_exe().expect("a test knows where it is");
        let path = folder.path().join(program::NAME);
        if fs::hard_link(&test, &path).is_err() {
            copy(&test, &path);
        }
        Self { folder, variables: Vec::new() }
    }

    /// With a variable of the program's environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((format!("APP_{name}"), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder is ours");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path(program::NAME));
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(arguments).env_clear().envs(variables).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().expect("it can be run");
        let text = [output.stdout, output.stderr].concat();
        let output_text = String::from_utf8_lossy(&text).into_owned();
        Ended { code: output.status.code(), output: output_text }
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.output, self.read("app.log"));
        ended.output
    }

    /// Starts it without a terminal.
    #[track_caller]
    pub(crate) fn start(self) -> Self {
        self.done(&["start", "-d"]);
        self
    }

    /// Starts it as a child of this process, and waits until it serves.
    #[track_caller]
    pub(crate) fn start_here(&self) -> Foreground {
        let output = fs::File::create(self.path("terminal")).expect("the folder is ours");
        let mut command = self.command(&["start"]);
        command.stdout(output.try_clone().expect("a file")).stderr(output);
        let foreground = Foreground { child: command.spawn().expect("it can be run") };
        eventually("the service serves", || self.read("terminal").contains("Start success."));
        foreground
    }

    /// Starts it as a child of this process, whether it comes up or not.
    pub(crate) fn start_in_vain(&self) -> Foreground {
        let mut command = self.command(&["start", "-q"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Foreground { child: command.spawn().expect("it can be run") }
    }

    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.done(&["status", "--json"])).expect("this is JSON")
    }

    /// The processes that serve, by id.
    #[track_caller]
    pub(crate) fn pids(&self) -> Vec<u64> {
        let status = self.status();
        let mut pids: Vec<(u64, u64)> = status["processes"]
            .as_array()
            .expect("there are processes")
            .iter()
            .filter(|process| process["state"] == "idle")
            .map(|process| (number(&process["id"]), number(&process["pid"])))
            .collect();
        pids.sort_unstable();
        pids.into_iter().map(|(_, pid)| pid).collect()
    }

    /// Where the service listens, without the scheme.
    #[track_caller]
    pub(crate) fn address(&self) -> String {
        let status = self.status();
        let listen = status["workers"][0]["listen"].as_str().expect("it listens");
        listen.trim_start_matches("text://").to_owned()
    }

    #[track_caller]
    pub(crate) fn connect(&self) -> Peer {
        Peer::connect(&self.address())
    }

    /// Lays another program in its place, which is longer by so many bytes.
    pub(crate) fn replace_program(&self, bytes: usize) -> u64 {
        let (path, next) = (self.path(program::NAME), self.path("next"));
        copy(&path, &next);
        let text = "x".repeat(bytes);
        // Another process writes it: a descriptor of ours, inherited by what other tests start, would keep
        // it from being run.
        let script = format!("printf %s {text} >> {}", next.display());
        let status = Command::new("sh").args(["-c", &script]).status().expect("a shell");
        assert!(status.success());
        fs::rename(&next, &path).expect("the folder is ours");
        fs::metadata(&path).expect("it is there").len()
    }

    /// The number of the supervisor.
    #[track_caller]
    pub(crate) fn supervisor(&self) -> u64 {
        self.read("app.pid").parse().expect("there is a pid file")
    }
}

impl Drop for App {
    #[expect(clippy::print_stderr, reason = "a test that fails tells of its service")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}{}", self.run(&["status"]).output, self.read("app.log"));
        }
        if self.path("app.pid.sock").exists() {
            self.run(&["stop"]);
        }
        if self.path("app.pid.sock").exists()
            && let Ok(pid) = self.read("app.pid").parse()
        {
            signal(pid, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Foreground {
    pub(crate) fn pid(&self) -> u64 {
        self.child.id().into()
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn end(&mut self) -> Option<i32> {
        let mut status = None;
        eventually("the service ends", || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

impl Peer {
    #[track_caller]
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("no connection is refused");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is open");
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes()).expect("it is open");
    }

    /// Asks who answers, if anybody does.
    pub(crate) fn try_ask(&mut self) -> Option<Answer> {
        self.stream.get_mut().write_all(b"who\n").ok()?;
        let mut line = String::new();
        self.stream.read_line(&mut line).ok()?;
        let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        let small = |number: u64| u32::try_from(number).ok();
        let (id, pid, length, uid) = (next()?, next()?, next()?, next()?);
        Some(Answer { id: small(id)?, pid: small(pid)?, length, uid: small(uid)? })
    }

    #[track_caller]
    pub(crate) fn ask(&mut self) -> Answer {
        self.try_ask().expect("somebody answers")
    }

    /// Waits until the other side has closed.
    #[track_caller]
    pub(crate) fn wait_for_end(&mut self) {
        let read = self.stream.read(&mut [0]);
        assert!(
            matches!(read, Ok(0))
                || read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
        );
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg(from).arg(to).status().expect("a system has cp");
    assert!(status.success());
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

pub(crate) fn signal(pid: u64, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let _ = rustix::process::kill_process(pid.expect("a process"), signal);
}

pub(crate) fn is_alive(pid: u64) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

/// Waits until `condition` holds, where there is no event to wait for.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

//! A program of the workspace as a child process: run to its end, or followed while it runs.

use crate::procfs::Process;
use crate::{Exit, Log, PATIENCE, eventually};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::env;
use std::ffi::OsStr;
use std::io::{self, Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

/// A program that is not started yet. It inherits no environment but `PATH`.
#[derive(Debug)]
pub struct Program {
    command: Command,
}

/// A program that runs. When it is dropped, it is killed, and whatever it has started with it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    stdout: Log,
    stderr: Log,
    /// Ends when all that was printed has been read.
    read: Receiver<()>,
}

/// A pipe that is being read.
struct Pipe<R> {
    source: R,
    _reading: Sender<()>,
}

/// The binary or example of this name, of the same profile as the running test.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows where it is");
    // target/PROFILE/deps/test-0123
    let folders = test.ancestors().skip(1).take(2);
    let mut paths =
        folders.flat_map(|folder| [folder.join(name), folder.join("examples").join(name)]);
    paths.find(|path| path.is_file()).unwrap_or_else(|| {
        let folder = test.display();
        panic!(
            "no {name} beside {folder}: build what is tested first: \
             cargo build --workspace --bins --examples"
        )
    })
}

impl Program {
    /// The binary or example of this name.
    #[must_use]
    pub fn built(name: &str) -> Self {
        Self::at(built(name))
    }

    /// The program at this path, or in `PATH`.
    #[must_use]
    pub fn at(path: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(path);
        let search = env::var_os("PATH").unwrap_or_default();
        // A group of its own, so that it ends together with what it has started.
        command.env_clear().env("PATH", search).stdin(Stdio::null()).process_group(0);
        Self { command }
    }

    /// With further arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// In this folder.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// With this to read on standard input, and then its end.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(text.as_bytes()).expect("it takes text");
        file.rewind().expect("a file can be rewound");
        self.command.stdin(file);
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Exit {
        Exit::of(self.command)
    }

    /// Starts it, with a standard input that [`Running::write`] writes to.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the program can be run");
        let (stdout, stderr) = (Log::default(), Log::default());
        let (reading, read) = channel();
        let source = child.stdout.take().expect("it is piped");
        stdout.follow(Pipe { source, _reading: reading.clone() });
        let source = child.stderr.take().expect("it is piped");
        stderr.follow(Pipe { source, _reading: reading });
        Running { input: child.stdin.take(), child, stdout, stderr, read }
    }
}

impl Running {
    /// What it has written to standard output.
    #[must_use]
    pub fn stdout(&self) -> &Log {
        &self.stdout
    }

    /// What it has written to standard error.
    #[must_use]
    pub fn stderr(&self) -> &Log {
        &self.stderr
    }

    /// Writes to its standard input.
    ///
    /// # Panics
    /// When it reads no more.
    #[track_caller]
    pub fn write(&mut self, text: &str) {
        let input = self.input.as_mut().expect("its input has not ended");
        input.write_all(text.as_bytes()).expect("the program reads");
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Sends it, and it alone, a signal.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the program runs");
    }

    /// Stops the clock for it, until [`Running::resume`].
    #[track_caller]
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        eventually("the program stands still", || Process(self.child.id()).is_stopped());
    }

    /// Lets it go on.
    #[track_caller]
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it, with all that it has started, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }

    /// Waits until it has ended, and all that it printed is there, and returns its exit code.
    ///
    /// # Panics
    /// When it does not end, or a signal ended it.
    #[track_caller]
    pub fn wait(&mut self) -> i32 {
        let mut status = None;
        eventually("the program ends", || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        let _ = self.read.recv_timeout(PATIENCE);
        let status = status.expect("it has ended");
        status.code().unwrap_or_else(|| panic!("the program ended by a signal: {status}"))
    }
}

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "it belongs to the failure of a test")]
    fn drop(&mut self) {
        // Once it was waited for, its number may be another one's.
        if let Ok(None) = self.child.try_wait() {
            self.kill();
        }
        if std::thread::panicking() {
            for (name, log) in [("output", &self.stdout), ("errors", &self.stderr)] {
                eprintln!("--- {name} of a program ---\n{}", log.lines().join("\n"));
            }
        }
    }
}

impl<R: Read> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

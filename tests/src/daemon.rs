//! A daemon as a child process: started, spoken to, signalled, measured, and never left behind.

use crate::procfs::Process;
use crate::{Endpoint, Log, PATIENCE, Peer, Service, Setup, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A daemon that listens.
#[derive(Debug)]
pub struct Daemon<W: Service> {
    setup: Setup<W>,
    child: Child,
    log: Log,
    endpoints: Vec<Endpoint>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl<W: Service> Daemon<W> {
    #[track_caller]
    pub(crate) fn start(setup: Setup<W>) -> Self {
        let (child, log) = spawn(setup.command(setup.arguments()));
        let mut daemon = Self { setup, child, log, endpoints: Vec::new() };
        daemon.endpoints = daemon.wait_until_it_listens();
        daemon
    }

    /// Stops it and starts it again at the same addresses.
    ///
    /// # Panics
    /// When it does not stop, or not start.
    #[track_caller]
    pub fn restart(&mut self) {
        self.signal(Signal::TERM);
        self.wait();
        self.start_again();
    }

    /// Starts it again at the same addresses, once it has ended.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn start_again(&mut self) {
        let mut arguments: Vec<OsString> = self.setup.arguments().to_vec();
        if let [Endpoint::Tcp(address)] = self.endpoints.as_slice() {
            let chosen = address.to_string();
            let asked = arguments.iter_mut().find(|argument| *argument == "127.0.0.1:0");
            asked.into_iter().for_each(|argument| *argument = OsString::from(&chosen));
        }
        (self.child, self.log) = spawn(self.setup.command(&arguments));
        self.endpoints = self.wait_until_it_listens();
    }

    /// Where it listens first.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoints[0]
    }

    /// Everywhere it listens.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// A connection that has not said hello.
    #[must_use]
    #[track_caller]
    pub fn stranger(&self) -> Peer<W> {
        Peer::connect(self.endpoint())
    }

    /// A connection that was welcomed.
    #[must_use]
    #[track_caller]
    pub fn peer(&self) -> Peer<W> {
        let mut peer = self.stranger();
        peer.hello();
        peer
    }

    /// A connection that was welcomed and has a receive buffer that is full soon.
    #[must_use]
    #[track_caller]
    pub fn narrow_peer(&self) -> Peer<W> {
        let mut peer = Peer::connect_narrow(self.endpoint());
        peer.hello();
        peer
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Its configuration file.
    #[must_use]
    pub fn file_path(&self) -> PathBuf {
        self.setup.file_path()
    }

    /// A path in its folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.setup.path(name)
    }

    /// Asks it to stop.
    #[track_caller]
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Interrupts it, as Ctrl-C does.
    #[track_caller]
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Has it read its settings again.
    #[track_caller]
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Kills it, so that it can tell nobody, and waits until it is gone.
    #[track_caller]
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        eventually("the daemon is gone", || !self.is_running());
    }

    /// Stops the clock for it, until [`Daemon::resume`].
    #[track_caller]
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        eventually("the daemon stands still", || self.process().is_stopped());
    }

    /// Lets it go on.
    #[track_caller]
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until it has ended and returns its exit code.
    ///
    /// # Panics
    /// When it does not end, or a signal ended it.
    #[track_caller]
    pub fn wait(&mut self) -> i32 {
        let status = wait(&mut self.child, PATIENCE).expect("the daemon ends");
        let code = status.code();
        code.unwrap_or_else(|| panic!("the daemon ended by a signal: {status}"))
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Memory in use now, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.process().memory_bytes()
    }

    /// The most memory it ever had in use, in bytes.
    #[must_use]
    pub fn memory_peak_bytes(&self) -> u64 {
        self.process().memory_peak_bytes()
    }

    /// Processor time since its start.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        self.process().processor_time()
    }

    /// How many descriptors it has open.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        self.process().descriptors()
    }

    /// Whether it handles the signals that it must know: a stop, an interruption, a reload.
    #[must_use]
    pub fn handles_signals(&self) -> bool {
        let signals = [Signal::TERM, Signal::INT, Signal::HUP];
        signals.iter().all(|signal| self.process().handles(signal.as_raw()))
    }

    /// A signal before it has a handler would simply end the process.
    #[track_caller]
    fn signal(&self, signal: Signal) {
        eventually("the daemon handles signals", || self.handles_signals());
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let sent = kill_process(pid.expect("a process has a number"), signal);
        sent.expect("the daemon runs");
    }

    fn process(&self) -> Process {
        Process(self.child.id())
    }

    #[track_caller]
    fn wait_until_it_listens(&mut self) -> Vec<Endpoint> {
        let flags = self.setup.arguments().iter().filter(|flag| *flag == "--listen");
        let count = flags.count().max(1);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let endpoints = endpoints(&self.log.lines());
            if endpoints.len() >= count {
                return endpoints;
            }
            let running = self.is_running() && Instant::now() < deadline;
            assert!(running, "the daemon does not listen: {:#?}", self.log.lines());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl<W: Service> Drop for Daemon<W> {
    #[expect(clippy::print_stderr, reason = "it belongs to the failure of a test")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            const LINES_MAX: usize = 50;
            let lines = self.log.lines();
            let last = lines.len().saturating_sub(LINES_MAX);
            eprintln!("--- the log of {} ---", W::KIND.name());
            lines[last..].iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

impl Exit {
    #[track_caller]
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon can be run");
        let stdout = collect(child.stdout.take().expect("it is piped"));
        let stderr = collect(child.stderr.take().expect("it is piped"));
        let status = wait(&mut child, PATIENCE);
        let _ = child.kill();
        let _ = child.wait();
        let exit = Self {
            code: status.and_then(|status| status.code()),
            stdout: stdout.join().expect("reading does not panic"),
            stderr: stderr.join().expect("reading does not panic"),
        };
        assert!(status.is_some(), "it went on: {exit:?}");
        exit
    }
}

fn spawn(mut command: Command) -> (Child, Log) {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the daemon can be run");
    let log = Log::default();
    log.follow(child.stderr.take().expect("it is piped"));
    (child, log)
}

fn collect(mut source: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = source.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}

fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + patience;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// The addresses in the lines that say "listening".
fn endpoints(lines: &[String]) -> Vec<Endpoint> {
    let address = |line: &String| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let listening = line.get("message")?.as_str()? == "listening";
        let address = line.get("address")?.as_str()?;
        listening.then(|| Endpoint::parse(address))
    };
    lines.iter().filter_map(address).collect()
}

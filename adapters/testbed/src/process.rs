//! A server as a child process: started, killed, started again, and never left behind.

use crate::{PATIENCE, Place, Program, keeper};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::{self, OpenOptions};
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long a server may take to start, on a machine that is busy with other things.
const START_MAX: Duration = Duration::from_secs(120);
/// How long it may take to stop.
const STOP_MAX: Duration = Duration::from_secs(60);
const ATTEMPTS_MAX: usize = 5;
const PERIOD: Duration = Duration::from_millis(5);
/// As it is printed with a failure.
const LOG_LINES_MAX: usize = 50;
const LOG_FILE: &str = "output.log";

/// A server that was started.
#[derive(Debug)]
pub struct Process {
    place: Place,
    program: Program,
    child: Option<Child>,
    /// Where in the file its last start begins.
    log_start: usize,
}

impl Process {
    /// Starts what `prepare` makes of a folder and so many ports, and waits until it serves. When
    /// one of the ports proves to be taken, it tries others.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(ports: usize, prepare: impl Fn(&Place) -> Program) -> Self {
        let mut attempts = 1;
        loop {
            let place = Place::new(ports);
            let program = prepare(&place);
            let mut process = Self { place, program, child: None, log_start: 0 };
            match process.launch().await {
                Ok(()) => return process,
                Err(failure) if attempts < ATTEMPTS_MAX && failure.port_is_taken => attempts += 1,
                Err(failure) => panic!("{}", failure.text),
            }
        }
    }

    /// Its folder and its ports.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The number of the process.
    ///
    /// # Panics
    /// When it was ended.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("the server was ended").id()
    }

    /// Whether it runs, paused or not.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// What it has printed since its last start.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.place.path(LOG_FILE)).unwrap_or_default();
        String::from_utf8_lossy(bytes.get(self.log_start..).unwrap_or_default()).into_owned()
    }

    /// Kills it, so that it can tell nobody, and waits until it is gone.
    ///
    /// # Panics
    /// When it was ended before, or is not gone soon.
    pub async fn kill(&mut self) {
        self.signal_group(Signal::KILL);
        self.wait().await;
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Panics
    /// When it was ended before, or does not stop.
    pub async fn stop(&mut self) {
        self.signal(Signal::TERM);
        self.wait().await;
    }

    /// Starts it on the same ports and with the same folder, once it was ended.
    ///
    /// # Panics
    /// When it runs, or does not start.
    pub async fn start_again(&mut self) {
        assert!(!self.is_running(), "{} still runs", self.program.name());
        let mut attempts = 1;
        while let Err(failure) = self.launch().await {
            let again = attempts < ATTEMPTS_MAX && failure.port_is_taken;
            assert!(again, "{}", failure.text);
            attempts += 1;
        }
    }

    /// Stops it and starts it again.
    ///
    /// # Panics
    /// When it does not stop, or not start.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Stops the clock for it, until [`Process::resume`]: connections stay and are not answered.
    ///
    /// # Panics
    /// When it was ended.
    pub async fn pause(&self) {
        self.signal(Signal::STOP);
        let deadline = Instant::now() + PATIENCE;
        while !self.is_paused() {
            assert!(Instant::now() < deadline, "{} goes on", self.program.name());
            sleep(PERIOD).await;
        }
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it was ended.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends it a signal, for instance to have it read its settings again.
    ///
    /// # Panics
    /// When it was ended.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the server runs");
    }

    /// Both ends of what a program that talks reads and prints; there is one pair per start.
    pub(crate) fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        let child = self.child.as_mut()?;
        child.stdin.take().zip(child.stdout.take())
    }

    async fn launch(&mut self) -> Result<(), Failure> {
        self.log_start = fs::metadata(self.place.path(LOG_FILE)).map_or(0, |file| {
            usize::try_from(file.len()).expect("a log is shorter than the memory")
        });
        self.child = Some(self.spawn());
        let deadline = Instant::now() + START_MAX;
        while !self.program.sign().is_seen(&self.log()).await {
            if let Some(status) = self.exited() {
                return Err(self.failure(&format!("ended with {status}")));
            }
            if Instant::now() > deadline {
                self.end();
                return Err(self.failure(&format!("does not serve within {START_MAX:?}")));
            }
            sleep(PERIOD).await;
        }
        Ok(())
    }

    fn spawn(&self) -> Child {
        let path = self.place.path(LOG_FILE);
        let log = OpenOptions::new().create(true).append(true).open(path);
        let log = log.expect("the folder is ours");
        let mut command = self.program.command(self.place.folder());
        command.stderr(log.try_clone().expect("there are descriptors"));
        if self.program.talks() {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        } else {
            command.stdout(log);
        }
        keeper::spawn(command).expect("setpriv of util-linux can be run")
    }

    fn failure(&self, what: &str) -> Failure {
        let log = self.log();
        let said = log.to_lowercase();
        let signs = ["address already in use", "eaddrinuse", "address in use"];
        Failure {
            text: format!("{} {what}:\n{}", self.program.name(), last_lines(&log)),
            port_is_taken: signs.iter().any(|sign| said.contains(sign)),
        }
    }

    async fn wait(&mut self) {
        let deadline = Instant::now() + STOP_MAX;
        while self.exited().is_none() {
            let late = Instant::now() > deadline;
            assert!(!late, "{} goes on:\n{}", self.program.name(), last_lines(&self.log()));
            sleep(PERIOD).await;
        }
        self.child = None;
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// Kills it at once, if it runs.
    fn end(&mut self) {
        if self.is_running() {
            self.signal_group(Signal::KILL);
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }

    fn signal_group(&self, signal: Signal) {
        // The group is there only when the child has come so far; the child is there anyhow.
        let _ = kill_process_group(self.pid(), signal);
        let _ = kill_process(self.pid(), signal);
    }

    fn pid(&self) -> Pid {
        let number = i32::try_from(self.id()).ok();
        number.and_then(Pid::from_raw).expect("a process has a number")
    }

    fn is_paused(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        // The name before may have spaces.
        stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('T'))
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "it belongs to the failure of a test")]
    fn drop(&mut self) {
        self.end();
        if thread::panicking() {
            eprintln!("--- the log of {} ---\n{}", self.program.name(), last_lines(&self.log()));
        }
    }
}

/// Why a server did not start.
struct Failure {
    text: String,
    port_is_taken: bool,
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
}

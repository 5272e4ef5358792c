//! Runs a command to its end, within a time, and keeps what it says.

use super::group::Group;
use super::line::Line;
use futures_util::StreamExt;
use futures_util::future::join_all;
use rustix::process::Signal;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdout, Command};

/// What is kept of what a command says.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// How long a command that is asked to end may take before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what a command left running may go on talking.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("cannot start {0}: {1}")]
    Start(String, std::io::Error),
    #[error("{what} ended with {status}")]
    Status { what: String, status: ExitStatus, output: String },
    #[error("{what} took longer than {}", humantime::format_duration(*time))]
    Time { what: String, time: Duration, output: String },
}

impl RunError {
    /// What the command said.
    pub(crate) fn output(&self) -> &str {
        match self {
            Self::Start(..) => "",
            Self::Status { output, .. } | Self::Time { output, .. } => output,
        }
    }
}

/// How a command is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How<'a> {
    pub(crate) files: &'a [&'a Path],
    /// Whether each file gets a command of its own; as many run at once as there are processors.
    pub(crate) each: bool,
    pub(crate) timeout: Duration,
}

/// Runs commands, and keeps those that were given up until they were asked to end.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    given_up: Mutex<Vec<Running>>,
}

impl Commands {
    /// Runs it for these files, and returns what was said. All must succeed; the first that does not is
    /// told. When this is dropped, [`Commands::stop`] must follow.
    pub(crate) async fn run(&self, line: &Line, how: How<'_>) -> Result<String, RunError> {
        let result = self.run_all(line, how).await;
        // When one has failed, others are under way.
        self.stop().await;
        result
    }

    async fn run_all(&self, line: &Line, how: How<'_>) -> Result<String, RunError> {
        let commands = line.commands(how.files, how.each);
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let runs = commands.into_iter().map(|command| self.one(line, command, how.timeout));
        let mut runs = futures_util::stream::iter(runs).buffered(at_once);
        let mut said = String::new();
        while let Some(output) = runs.next().await {
            let output = output?;
            // Of many commands, what the first say is enough.
            if said.len() < OUTPUT_BYTES_MAX && !output.is_empty() {
                said.extend((!said.is_empty()).then_some('\n'));
                said.push_str(&output);
            }
        }
        Ok(said)
    }

    /// Asks what was given up to end, and returns when it has, or was killed. May be dropped.
    pub(crate) async fn stop(&self) {
        let given_up = std::mem::take(&mut *self.lock());
        let held = given_up.into_iter().map(|running| Held { running: Some(running), by: self });
        // All are held before the first is waited for: what is dropped then is given up again.
        let held: Vec<_> = held.collect();
        join_all(held.into_iter().map(async |mut held| {
            // Nobody is left who would want to know how.
            let _ = held.end(Duration::ZERO).await;
            held.running = None;
        }))
        .await;
    }

    async fn one(
        &self,
        line: &Line,
        mut command: Command,
        timeout: Duration,
    ) -> Result<String, RunError> {
        let what = line.to_string();
        let running =
            Running::start(&mut command).map_err(|error| RunError::Start(what.clone(), error))?;
        let mut held = Held { running: Some(running), by: self };
        let ended = held.end(timeout).await;
        let output = held.running.take().map(|running| running.output.text()).unwrap_or_default();
        match ended {
            Ok(Some(status)) if status.success() => Ok(output),
            Ok(Some(status)) => Err(RunError::Status { what, status, output }),
            Ok(None) => Err(RunError::Time { what, time: timeout, output }),
            Err(error) => Err(RunError::Start(what, error)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Running>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that runs, with what it has said until now.
#[derive(Debug)]
struct Running {
    group: Group,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    output: Output,
}

impl Running {
    fn start(command: &mut Command) -> std::io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::spawn(command)?;
        let (stdout, stderr) = (group.child().stdout.take(), group.child().stderr.take());
        Ok(Self { group, stdout, stderr, output: Output::default() })
    }

    /// Waits for its end, and asks for it after `timeout`: then there is no status. All the time it is
    /// heard, as who is not heard may not be able to end. May be dropped.
    async fn end(&mut self, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
        let Self { group, stdout, stderr, output } = self;
        let reading = output.read(stdout.as_mut(), stderr.as_mut());
        let waiting = async {
            match tokio::time::timeout(timeout, group.wait()).await {
                Ok(status) => status.map(Some),
                Err(_) => {
                    group.stop(Signal::TERM, STOP_TIMEOUT).await;
                    Ok(None)
                }
            }
        };
        tokio::pin!(reading, waiting);
        let mut silent = false;
        let ended = loop {
            tokio::select! {
                ended = &mut waiting => break ended,
                () = &mut reading, if !silent => silent = true,
            }
        };
        if !silent {
            let _ = tokio::time::timeout(LAST_WORDS, reading).await;
        }
        ended
    }
}

/// Puts a command among those that were given up when its end is not waited for.
struct Held<'a> {
    running: Option<Running>,
    by: &'a Commands,
}

impl Held<'_> {
    async fn end(&mut self, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
        match &mut self.running {
            Some(running) => running.end(timeout).await,
            None => Ok(None),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.by.lock().extend(self.running.take());
    }
}

/// The beginning of what was said: of many errors, the first is the one that matters.
#[derive(Debug, Default)]
struct Output {
    bytes: Vec<u8>,
    more: bool,
}

impl Output {
    async fn read(
        &mut self,
        stdout: Option<impl AsyncRead + Unpin>,
        stderr: Option<impl AsyncRead + Unpin>,
    ) {
        let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) else { return };
        let (mut from_out, mut from_err) = ([0; 4096], [0; 4096]);
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            tokio::select! {
                count = stdout.read(&mut from_out), if out_open => {
                    out_open = self.take(&from_out, count.unwrap_or(0));
                }
                count = stderr.read(&mut from_err), if err_open => {
                    err_open = self.take(&from_err, count.unwrap_or(0));
                }
            }
        }
    }

    fn take(&mut self, from: &[u8], count: usize) -> bool {
        let room = OUTPUT_BYTES_MAX - self.bytes.len();
        self.bytes.extend_from_slice(&from[..count.min(room)]);
        self.more |= count > room;
        count > 0
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let more = if self.more { "\n[more was said]" } else { "" };
        format!("{}{more}", text.trim_end())
    }
}

//! Runs a command to its end, within a time, and keeps what it says.

use super::group::Group;
use super::line::Line;
use futures_util::StreamExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// What is kept of what a command says.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
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

/// Runs it for these files, and returns what was said. All must succeed; the first that does not is told.
pub(crate) async fn run(line: &Line, how: How<'_>) -> Result<String, RunError> {
    let commands = line.commands(how.files, how.each);
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let runs = commands.into_iter().map(|command| one(line, command, how.timeout));
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

async fn one(line: &Line, mut command: Command, timeout: Duration) -> Result<String, RunError> {
    let what = line.to_string();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group =
        Group::spawn(&mut command).map_err(|error| RunError::Start(what.clone(), error))?;
    let (stdout, stderr) = (group.child().stdout.take(), group.child().stderr.take());
    let mut output = Output::default();
    let ended = {
        let reading = output.read(stdout, stderr);
        tokio::pin!(reading);
        let waiting = tokio::time::timeout(timeout, group.wait());
        tokio::pin!(waiting);
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
    };
    let output = output.text();
    match ended {
        Ok(Ok(status)) if status.success() => Ok(output),
        Ok(Ok(status)) => Err(RunError::Status { what, status, output }),
        Ok(Err(error)) => Err(RunError::Start(what, error)),
        Err(_) => Err(RunError::Time { what, time: timeout, output }),
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

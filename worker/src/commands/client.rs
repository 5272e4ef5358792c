//! A command's way to the supervisor.

use crate::messages::{Reply, Request, line};
use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{PidfdFlags, pidfd_open};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A supervisor that does not answer within this is stopped or very busy.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Connections of many processes.
const REPLY_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// It ended, or is about to, instead of answering.
#[derive(Debug, thiserror::Error)]
#[error("the supervisor has ended")]
pub(super) struct HungUp;

pub(super) struct Client {
    stream: UnixStream,
    supervisor: OwnedFd,
}

impl Client {
    /// Connects to the supervisor, if there is one.
    pub(super) fn connect(path: &Path) -> anyhow::Result<Option<Self>> {
        match UnixStream::connect(path) {
            Ok(stream) => {
                let pid = socket_peercred(&stream)?.pid;
                match pidfd_open(pid, PidfdFlags::empty()) {
                    Ok(supervisor) => Ok(Some(Self { stream, supervisor })),
                    Err(Errno::SRCH) => Ok(None),
                    Err(error) => Err(error).context("cannot watch the supervisor"),
                }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                _ => Err(error).with_context(|| format!("cannot reach {}", path.display())),
            },
        }
    }

    /// Asks, and waits for the answer: as long as it takes if there is no limit.
    pub(super) fn ask(&self, request: Request, wait: Option<Duration>) -> anyhow::Result<Reply> {
        let mut stream = &self.stream;
        stream.set_read_timeout(wait)?;
        let mut text = String::new();
        let asked = stream.write_all(&line(&request));
        let read =
            asked.and_then(|()| BufReader::new(stream.take(REPLY_BYTES_MAX)).read_line(&mut text));
        match read {
            Ok(0) => bail!(HungUp),
            Ok(_) => Ok(serde_json::from_str(&text)?),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => bail!("the supervisor does not answer"),
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => bail!(HungUp),
                _ => Err(error.into()),
            },
        }
    }

    /// Asks for what is there at once.
    pub(super) fn ask_soon(&self, request: Request) -> anyhow::Result<Reply> {
        self.ask(request, Some(ANSWER_WAIT))
    }

    /// Waits until the supervisor's process has ended; tells whether it has.
    pub(super) fn wait_for_end(&self, wait: Option<Duration>) -> anyhow::Result<bool> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.map(Timespec::try_from).transpose()?;
            match poll(&mut [PollFd::new(&self.supervisor, PollFlags::IN)], left.as_ref()) {
                Err(Errno::INTR) => {}
                ended => return Ok(ended? > 0),
            }
        }
    }
}

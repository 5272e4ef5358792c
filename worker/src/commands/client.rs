//! A command's way to the supervisor.

use crate::messages::{Reply, Request, line};
use anyhow::{Context, bail};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A supervisor that does not answer within this is stopped or very busy.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Connections of many processes.
const REPLY_BYTES_MAX: u64 = 1024 * 1024 * 1024;

pub(super) struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the supervisor, if there is one.
    pub(super) fn connect(path: &Path) -> anyhow::Result<Option<Self>> {
        match UnixStream::connect(path) {
            Ok(stream) => Ok(Some(Self { stream: BufReader::new(stream) })),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                _ => Err(error).with_context(|| format!("cannot reach {}", path.display())),
            },
        }
    }

    /// Asks, and waits for the answer: as long as it takes if there is no limit.
    pub(super) fn ask(&self, request: Request, wait: Option<Duration>) -> anyhow::Result<Reply> {
        let mut stream = self.stream.get_ref();
        stream.set_read_timeout(wait)?;
        stream.write_all(&line(&request))?;
        let mut text = String::new();
        let read = BufReader::new(stream.take(REPLY_BYTES_MAX)).read_line(&mut text);
        match read {
            Ok(0) => bail!("the supervisor has ended"),
            Ok(_) => Ok(serde_json::from_str(&text)?),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                bail!("the supervisor does not answer")
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for what is there at once.
    pub(super) fn ask_soon(&self, request: Request) -> anyhow::Result<Reply> {
        self.ask(request, Some(ANSWER_WAIT))
    }

    /// Waits until the supervisor has ended; tells whether it has.
    pub(super) fn wait_for_end(self, wait: Option<Duration>) -> bool {
        let mut stream = self.stream.into_inner();
        let limited = stream.set_read_timeout(wait);
        limited.is_ok()
            && !matches!(stream.read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

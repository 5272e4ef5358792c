//! The socket by which commands speak to the supervisor: one line each way.

use super::Event;
use crate::messages::{Reply, Request, line};
use anyhow::Context;
use rustix::fs::Mode;
use rustix::process::umask;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

const REQUEST_BYTES_MAX: u64 = 4096;
const REQUEST_WAIT_MAX: Duration = Duration::from_secs(5);

/// The socket; its file goes with it.
#[derive(Debug)]
pub(super) struct Endpoint {
    listener: UnixListener,
    path: PathBuf,
}

impl Endpoint {
    /// Binds it for its owner alone. What lies there is left from a process that was killed: the caller
    /// holds the pid file.
    pub(super) fn bind(path: &Path) -> anyhow::Result<Self> {
        let left = std::fs::symlink_metadata(path);
        if left.is_ok_and(|left| left.file_type().is_socket()) {
            let _ = std::fs::remove_file(path);
        }
        let before = umask(Mode::RWXG | Mode::RWXO);
        let listener = UnixListener::bind(path);
        umask(before);
        let listener = listener.with_context(|| format!("cannot listen at {}", path.display()))?;
        Ok(Self { listener, path: path.to_path_buf() })
    }

    /// Accepts one command, which is attended to by a task of its own.
    pub(super) async fn accept(&self, events: &mpsc::UnboundedSender<Event>) {
        match self.listener.accept().await {
            Ok((connection, _)) => {
                let events = events.clone();
                tokio::task::spawn_local(async move {
                    if let Err(error) = attend(connection, events).await {
                        tracing::debug!(%error, "a command has gone");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a command cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn attend(connection: UnixStream, events: mpsc::UnboundedSender<Event>) -> io::Result<()> {
    let (reader, mut writer) = connection.into_split();
    let mut reader = BufReader::new(reader.take(REQUEST_BYTES_MAX));
    let mut text = String::new();
    tokio::time::timeout(REQUEST_WAIT_MAX, reader.read_line(&mut text)).await??;
    let reply = match serde_json::from_str::<Request>(&text) {
        Ok(request) => {
            let (sender, reply) = oneshot::channel();
            let _ = events.send(Event::Asked(request, sender));
            let ended = |_| Reply::Failed("the supervisor has ended".to_owned());
            reply.await.unwrap_or_else(ended)
        }
        Err(error) => Reply::Failed(format!("not understood: {error}")),
    };
    writer.write_all(&line(&reply)).await?;
    Ok(())
}

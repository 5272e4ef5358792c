//! A server from its start to its end.

use super::launch::{Launch, launch};
use super::{Children, Pinning};
use crate::limits::READY_SECONDS_MAX;
use crate::peer::{Family, Kind, Peer};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A free port may be taken by somebody else before the server binds it.
const ATTEMPTS: usize = 3;

/// Ends with its value.
pub(crate) struct Server {
    pub(crate) peer: Peer,
    children: Arc<Children>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.children.end(self.peer.pid);
    }
}

/// Starts a private server and returns once its port accepts.
pub(crate) fn start(
    children: &Arc<Children>,
    kind: Kind,
    family: Family,
    pinning: Pinning,
) -> Result<Server> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match attempt(children, kind, family, pinning) {
            Ok(server) => return Ok(server),
            Err(error) => last = Some(error),
        }
    }
    Err(last.context("nothing was tried")?)
}

fn attempt(
    children: &Arc<Children>,
    kind: Kind,
    family: Family,
    pinning: Pinning,
) -> Result<Server> {
    let addr = free_port()?;
    let log = children.folder().join(format!("{kind}-{}.log", addr.port()));
    let Launch { program, arguments } = launch(kind, family, addr.port(), children.folder())?;
    let output = File::create(&log)?;
    let mut command = pinning.server(program.as_os_str());
    command
        .args(arguments)
        .current_dir(children.folder())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let pid = children.spawn(&mut command)?;
    let server = Server { peer: Peer { kind, addr, pid }, children: Arc::clone(children) };
    let give_up = Instant::now() + READY_SECONDS_MAX;
    while TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_err() {
        if let Some(status) = children.exit_status(pid) {
            bail!("{kind} ended ({status}): {}", last_words(&log));
        }
        if Instant::now() > give_up {
            bail!("{kind} does not accept on {addr}: {}", last_words(&log));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(server)
}

fn free_port() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

fn last_words(log: &Path) -> String {
    const LINES: usize = 5;
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join(" | ")
}

//! A server from its start to its end.

use super::launch::{Folders, Launch, launch};
use super::{Children, Pinning};
use crate::limits::READY_SECONDS_MAX;
use crate::peer::{Family, Kind, Peer};
use crate::procfs;
use crate::trace::{Tool, VALGRIND};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A free port may be taken by somebody else before the server binds it.
const ATTEMPTS: usize = 3;

/// Ends with its value.
pub(crate) struct Server {
    pub(crate) peer: Peer,
    /// The process that was started. The one that serves may be a child of it.
    started: u32,
    children: Arc<Children>,
}

/// What it takes to start servers.
pub(crate) struct Starter {
    pub(crate) children: Arc<Children>,
    pub(crate) pinning: Pinning,
    /// Where the original servers are.
    pub(crate) original: Option<PathBuf>,
    /// What the servers will be looked at with.
    pub(crate) tool: Option<Tool>,
}

impl Server {
    pub(crate) fn has_ended(&self) -> bool {
        self.children.exit_status(self.started).is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.children.end(self.started);
    }
}

impl Starter {
    /// Starts a private server and returns once its port accepts.
    pub(crate) fn start(&self, kind: Kind, family: Family) -> Result<Server> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.attempt(kind, family) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("nothing was tried")?)
    }

    fn attempt(&self, kind: Kind, family: Family) -> Result<Server> {
        let addr = free_port()?;
        let folder = self.children.folder();
        let log = folder.join(format!("{kind}-{}.log", addr.port()));
        let original = self.original.as_deref();
        let Launch { program, arguments } =
            launch(kind, family, addr.port(), &Folders { own: folder, original })?;
        let output = File::create(&log)?;
        let before: &[&str] = match self.tool {
            Some(Tool::Callgrind) => &VALGRIND,
            _ => &[],
        };
        let mut command = self.pinning.server(before, program.as_os_str());
        command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let started = self.children.spawn(&mut command)?;
        let peer = Peer { kind, addr, pid: started, tool: None };
        let mut server = Server { peer, started, children: Arc::clone(&self.children) };
        let give_up = Instant::now() + READY_SECONDS_MAX;
        loop {
            if let Some(pid) = serving(&server) {
                server.peer.pid = pid;
                return Ok(server);
            }
            if let Some(status) = self.children.exit_status(started) {
                bail!("{kind} ended ({status}): {}", last_words(&log));
            }
            if Instant::now() > give_up {
                bail!("{kind} does not accept on {addr}: {}", last_words(&log));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The process that serves, once the port accepts. The original's first process only looks after the
/// one that does the work.
fn serving(server: &Server) -> Option<u32> {
    let Server { peer, started, .. } = server;
    TcpStream::connect_timeout(&peer.addr, Duration::from_secs(1)).ok()?;
    match peer.kind {
        Kind::Original => procfs::child(*started),
        _ => Some(*started),
    }
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

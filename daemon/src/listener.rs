//! Sockets that take connections: opened here, or passed by a supervisor.

use crate::address::ListenAddress;
use crate::stream::{Reader, Writer, split_tcp, split_unix};
use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};

/// Connections that may wait to be accepted. Storms of them are normal after a restart.
const BACKLOG: i32 = 4096;

/// An open socket, not yet part of a runtime.
pub(crate) enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener, Option<SocketFile>),
}

/// A socket that a runtime watches.
pub(crate) enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(
        tokio::net::UnixListener,
        #[expect(dead_code, reason = "removed on drop")] Option<SocketFile>,
    ),
}

/// Removes the file of a unix socket that we made.
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Takes the sockets that a supervisor passed, or opens those of the settings.
pub(crate) fn bind_all(addresses: &[ListenAddress]) -> Result<Vec<Bound>, (String, io::Error)> {
    let passed = passed().map_err(|error| ("a passed socket".to_owned(), error))?;
    if !passed.is_empty() {
        return Ok(passed);
    }
    addresses.iter().map(|address| bind(address).map_err(|e| (address.to_string(), e))).collect()
}

fn passed() -> io::Result<Vec<Bound>> {
    let mut sockets = ListenFd::from_env();
    let mut bound = Vec::new();
    for index in 0..sockets.len() {
        if let Ok(Some(listener)) = sockets.take_tcp_listener(index) {
            listener.set_nonblocking(true)?;
            bound.push(Bound::Tcp(listener));
        } else if let Some(listener) = sockets.take_unix_listener(index)? {
            listener.set_nonblocking(true)?;
            bound.push(Bound::Unix(listener, None));
        }
    }
    Ok(bound)
}

fn bind(address: &ListenAddress) -> io::Result<Bound> {
    match address {
        ListenAddress::Tcp(address) => bind_tcp(*address).map(Bound::Tcp),
        ListenAddress::Unix(path) => bind_unix(path),
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn bind_unix(path: &Path) -> io::Result<Bound> {
    // A file that nobody answers at is left from a process that was killed.
    if let Err(error) = StdUnixStream::connect(path)
        && error.kind() == ErrorKind::ConnectionRefused
    {
        std::fs::remove_file(path)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(Bound::Unix(listener, Some(SocketFile(path.to_owned()))))
}

impl Bound {
    /// Where it really listens: a port 0 has become a number.
    pub(crate) fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(listener, _) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().unwrap_or(Path::new("/unnamed"));
                Ok(ListenAddress::Unix(path.to_owned()))
            }
        }
    }

    pub(crate) fn into_listener(self) -> io::Result<Listener> {
        match self {
            Self::Tcp(listener) => tokio::net::TcpListener::from_std(listener).map(Listener::Tcp),
            Self::Unix(listener, file) => {
                Ok(Listener::Unix(tokio::net::UnixListener::from_std(listener)?, file))
            }
        }
    }
}

impl Listener {
    pub(crate) async fn accept(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(split_tcp(stream))
            }
            Self::Unix(listener, _) => Ok(split_unix(listener.accept().await?.0)),
        }
    }
}

//! Sockets that take connections: opened here, or passed by a supervisor.

use crate::address::ListenAddress;
use crate::stream::{Reader, Writer, split_tcp, split_unix};
use listenfd::ListenFd;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Connections that may wait to be accepted. Storms of them are normal after a restart.
const BACKLOG: i32 = 4096;

/// A silent TCP peer is asked by the kernel after so long; most are asked by a heartbeat long before.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Between the questions that follow, and how many go without an answer before the host is given up.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 4;

/// An open socket, not yet part of a runtime.
pub(crate) enum Bound {
    Tcp(std::net::TcpListener),
    // The file goes before the socket, or it might be a successor's file that is removed.
    Unix(Option<SocketFile>, std::os::unix::net::UnixListener),
}

/// A socket that a runtime watches.
pub(crate) enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(
        #[expect(dead_code, reason = "removed on drop, before the socket is closed")]
        Option<SocketFile>,
        tokio::net::UnixListener,
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
            prepare(&SockRef::from(&listener))?;
            bound.push(Bound::Tcp(listener));
        } else if let Some(listener) = sockets.take_unix_listener(index)? {
            listener.set_nonblocking(true)?;
            bound.push(Bound::Unix(None, listener));
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
    prepare(&SockRef::from(&socket))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Sets what every connection accepted from this socket takes over from it.
fn prepare(listener: &SockRef<'_>) -> io::Result<()> {
    listener.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    listener.set_tcp_keepalive(&keepalive)
}

fn bind_unix(path: &Path) -> io::Result<Bound> {
    // A socket that nobody answers at is left from a process that was killed.
    if let Err(error) = StdUnixStream::connect(path)
        && error.kind() == ErrorKind::ConnectionRefused
        && std::fs::symlink_metadata(path)?.file_type().is_socket()
    {
        std::fs::remove_file(path)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(Bound::Unix(Some(SocketFile(path.to_owned())), listener))
}

impl Bound {
    /// Where it really listens: a port 0 has become a number.
    pub(crate) fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(_, listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().unwrap_or(Path::new("/unnamed"));
                Ok(ListenAddress::Unix(path.to_owned()))
            }
        }
    }

    pub(crate) fn into_listener(self) -> io::Result<Listener> {
        match self {
            Self::Tcp(listener) => tokio::net::TcpListener::from_std(listener).map(Listener::Tcp),
            Self::Unix(file, listener) => {
                Ok(Listener::Unix(file, tokio::net::UnixListener::from_std(listener)?))
            }
        }
    }
}

impl Listener {
    pub(crate) async fn accept(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Tcp(listener) => Ok(split_tcp(listener.accept().await?.0)),
            Self::Unix(_, listener) => Ok(split_unix(listener.accept().await?.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_connections_take_over_the_options() {
        let listener = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        assert!(stream.nodelay().unwrap());
        assert!(SockRef::from(&stream).keepalive().unwrap());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let bound = bind_unix(&path).unwrap();
        assert_eq!(bind_unix(&path).err().unwrap().kind(), ErrorKind::AddrInUse);
        drop(bound);
        assert!(!path.exists());
        std::fs::write(&path, "precious").unwrap();
        assert!(bind_unix(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}

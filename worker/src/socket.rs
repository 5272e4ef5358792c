//! The sockets of a worker: bound by the supervisor, handed to worker processes.

use crate::address::{Address, Endpoint, Transport};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

/// A bound socket, whose kind its address tells.
#[derive(Debug)]
pub(crate) enum Listening {
    Tcp(std::net::TcpListener),
    Unix(UnixListener),
    Udp(std::net::UdpSocket),
}

impl Listening {
    /// Binds an address; with `reuse_port` others may bind the same.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn bind(address: &Address, backlog: u32, reuse_port: bool) -> io::Result<Self> {
        match (&address.endpoint, address.transport) {
            (Endpoint::Path(path), _) => bind_unix(path, backlog),
            (Endpoint::Inet(host, port), Transport::Udp) => {
                let socket = bind_inet(resolve(host, *port)?, Type::DGRAM, reuse_port)?;
                Ok(Self::Udp(socket.into()))
            }
            (Endpoint::Inet(host, port), _) => {
                let socket = bind_inet(resolve(host, *port)?, Type::STREAM, reuse_port)?;
                keep_alive(&socket)?;
                socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
                Ok(Self::Tcp(socket.into()))
            }
        }
    }

    /// The address that it was bound to, with the port that port 0 has become.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn bound_to(&self, mut address: Address) -> io::Result<Address> {
        if let (Endpoint::Inet(_, port), Some(given)) = (&mut address.endpoint, self.port()?) {
            *port = given;
        }
        Ok(address)
    }

    /// The port that it has got, if it has one.
    ///
    /// # Errors
    /// The operating system's.
    fn port(&self) -> io::Result<Option<u16>> {
        Ok(match self {
            Self::Tcp(socket) => Some(socket.local_addr()?.port()),
            Self::Udp(socket) => Some(socket.local_addr()?.port()),
            Self::Unix(_) => None,
        })
    }

    /// Takes over a socket that another process has bound to this address.
    pub(crate) fn from_fd(address: &Address, fd: OwnedFd) -> Self {
        match (&address.endpoint, address.transport) {
            (Endpoint::Path(_), _) => Self::Unix(fd.into()),
            (Endpoint::Inet(..), Transport::Udp) => Self::Udp(fd.into()),
            (Endpoint::Inet(..), _) => Self::Tcp(fd.into()),
        }
    }
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
            Self::Udp(socket) => socket.as_fd(),
        }
    }
}

fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let unknown = || io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    (host, port).to_socket_addrs()?.next().ok_or_else(unknown)
}

fn bind_inet(address: SocketAddr, kind: Type, reuse_port: bool) -> io::Result<Socket> {
    let protocol = if kind == Type::STREAM { Protocol::TCP } else { Protocol::UDP };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // `[::]` takes both families, whatever the system's default is.
        socket.set_only_v6(false)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    socket.set_reuse_port(reuse_port)?;
    socket.bind(&SockAddr::from(address))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Accepted connections inherit it.
fn keep_alive(socket: &Socket) -> io::Result<()> {
    const IDLE: Duration = Duration::from_secs(55);
    let keepalive = socket2::TcpKeepalive::new().with_time(IDLE).with_interval(IDLE);
    socket.set_tcp_keepalive(&keepalive.with_retries(3))?;
    socket.set_tcp_nodelay(true)
}

fn bind_unix(path: &Path, backlog: u32) -> io::Result<Listening> {
    remove_stale(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(Listening::Unix(socket.into()))
}

/// A socket file that nobody listens at is left from a process that was killed.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Ok(());
    }
    // Without waiting: whoever listens may have no room for one more.
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

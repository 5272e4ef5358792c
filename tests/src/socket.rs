//! Where a daemon listens, and a blocking connection to it.

use crate::PATIENCE;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An address that a daemon listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Reads an address as the log has it.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once("://") {
            Some(("tcp", address)) => Self::Tcp(address.parse().expect("host and port")),
            Some(("unix", path)) => Self::Unix(path.into()),
            _ => panic!("{text:?} is no address"),
        }
    }

    /// Connects, with a small receive buffer if it should fill up soon.
    pub(crate) fn connect(&self, receive_buffer_bytes: Option<usize>) -> io::Result<Socket> {
        let (domain, address) = match self {
            Self::Tcp(address) => (Domain::for_address(*address), (*address).into()),
            Self::Unix(path) => (Domain::UNIX, SockAddr::unix(path)?),
        };
        let socket = Socket::new(domain, Type::STREAM, None)?;
        if let Some(bytes) = receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.connect(&address)?;
        if let Self::Tcp(_) = self {
            socket.set_tcp_nodelay(true)?;
        }
        Ok(socket)
    }
}

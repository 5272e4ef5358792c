//! A socket that connections or datagrams come from.

use crate::connection::Ends;
use crate::socket::Listening;
use crate::stream::Stream;
use bytes::Bytes;
use std::io;
use std::rc::Rc;
use tokio::net::{TcpListener, UdpSocket, UnixListener};

/// The longest datagram.
const DATAGRAM_BYTES: usize = 65_535;

pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
    Udp(Rc<UdpSocket>, Box<[u8]>),
}

/// A connection, or a datagram and the way back.
pub(crate) struct Accepted {
    pub(crate) stream: Stream,
    pub(crate) ends: Ends,
    pub(crate) datagram: Option<Bytes>,
}

impl Listener {
    pub(crate) fn new(socket: Listening) -> io::Result<Self> {
        Ok(match socket {
            Listening::Tcp(socket) => Self::Tcp(TcpListener::from_std(socket)?),
            Listening::Unix(socket) => Self::Unix(UnixListener::from_std(socket)?),
            Listening::Udp(socket) => {
                let socket = Rc::new(UdpSocket::from_std(socket)?);
                Self::Udp(socket, vec![0; DATAGRAM_BYTES].into())
            }
        })
    }

    pub(crate) async fn accept(&mut self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, remote) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let local = Some(stream.local_addr()?);
                let ends = Ends { transport: "tcp", local, remote: Some(remote) };
                Ok(Accepted { stream: Stream::Tcp(stream), ends, datagram: None })
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let ends = Ends { transport: "unix", local: None, remote: None };
                Ok(Accepted { stream: Stream::Unix(stream), ends, datagram: None })
            }
            Self::Udp(socket, buffer) => {
                let (bytes, remote) = socket.recv_from(buffer).await?;
                let datagram = Some(Bytes::copy_from_slice(&buffer[..bytes]));
                let local = Some(socket.local_addr()?);
                let ends = Ends { transport: "udp", local, remote: Some(remote) };
                Ok(Accepted { stream: Stream::Udp(Rc::clone(socket), remote), ends, datagram })
            }
        }
    }

    /// Whether an error concerns one connection only, which has gone already.
    pub(crate) fn is_passing(error: &io::Error) -> bool {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted
        )
    }
}

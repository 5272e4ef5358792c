//! A connected socket of any kind.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UdpSocket, UnixStream};
use tokio_rustls::TlsStream;

/// What carries the bytes of one connection.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A stream socket of the file system.
    Unix(UnixStream),
    /// TLS over TCP, from either side.
    Tls(Box<TlsStream<TcpStream>>),
    /// One that is being connected: until it is there, nothing can be read or written.
    Connecting(Rc<Arrival>),
    /// The way back to where a datagram came from. Whatever is written at once is a datagram.
    Udp(Rc<UdpSocket>, SocketAddr),
}

/// Where a stream is put when it is connected.
pub(crate) type Arrival = RefCell<Option<Stream>>;

impl Stream {
    /// Itself, once it is connected. Whoever connects it wakes who waits for that.
    fn connected(&mut self) -> Poll<&mut Self> {
        if let Self::Connecting(arrival) = self {
            let arrived = arrival.take();
            match arrived {
                Some(stream) => *self = stream,
                None => return Poll::Pending,
            }
        }
        Poll::Ready(self)
    }
}

impl Stream {
    /// Reads once, and tells how many bytes; none when there are no more to come.
    pub(crate) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let before = buffer.filled().len();
        ready!(Pin::new(self).poll_read(context, buffer))?;
        Poll::Ready(Ok(buffer.filled().len() - before))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(self.get_mut().connected()) {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => match ready!(Pin::new(stream.as_mut()).poll_read(context, buffer))
            {
                // Many a peer ends without the notice that TLS wants; protocols know whether it is cut off.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                read => Poll::Ready(read),
            },
            // What arrived is all that there is.
            Self::Udp(..) | Self::Connecting(_) => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.get_mut().connected()) {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
            Self::Connecting(_) => Poll::Pending,
            // A datagram that finds no room is lost, as any may be.
            Self::Udp(socket, peer) => Poll::Ready(socket.try_send_to(bytes, *peer)),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.get_mut().connected()) {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(context, slices),
            other @ (Self::Udp(..) | Self::Connecting(_)) => {
                let first = slices.iter().find(|slice| !slice.is_empty());
                Pin::new(other).poll_write(context, first.map_or(&[], |slice| slice))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            Self::Udp(..) | Self::Connecting(_) => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.get_mut().connected()) {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            Self::Udp(..) | Self::Connecting(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.get_mut().connected()) {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Self::Udp(..) | Self::Connecting(_) => Poll::Ready(Ok(())),
        }
    }
}

//! A client's end of a connection.

use crate::network::Network;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a client reads from and writes to.
#[derive(Debug)]
pub(crate) struct Socket {
    network: Arc<Network>,
    at: usize,
}

impl Socket {
    /// Connects, which takes as long as it takes.
    pub(crate) async fn connect(network: Arc<Network>) -> io::Result<Self> {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        let at = network.open().ok_or(io::ErrorKind::ConnectionRefused)?;
        Ok(Self { network, at })
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let now_ms = self.network.now_ms();
        let mut state = self.network.lock();
        let connection = &mut state.connections[self.at];
        if now_ms < connection.reads_from_ms {
            connection.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = connection.inbox.len().min(buffer.remaining());
        if count == 0 {
            if connection.is_over {
                return Poll::Ready(Ok(()));
            }
            connection.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes: Vec<u8> = connection.inbox.drain(..count).collect();
        buffer.put_slice(&bytes);
        self.network.has_read(&mut state, self.at, count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.network.lock().connections[self.at].is_over {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.network.send_to_server(self.at, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.network.client_left(self.at);
    }
}

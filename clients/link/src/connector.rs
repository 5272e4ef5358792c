//! Streams of bytes that the program itself makes, in place of TCP and unix sockets.

use crate::address::Address;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// What a connection can run over: bytes in order, both ways.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A stream that somebody else made.
pub(crate) struct Made(pub(crate) Box<dyn ByteStream>);

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<Made>> + Send>>;

/// How a client reaches an address, when it is not by a socket of its own: through a tunnel, through a
/// proxy, within the process. It is asked for every connection anew.
///
/// ```
/// use workyard_link::Connector;
///
/// // Everything to one place, whatever the address says.
/// let connector = Connector::new(|address| async move {
///     println!("on the way to {address}");
///     tokio::net::TcpStream::connect("127.0.0.1:4000").await
/// });
/// # drop(connector);
/// ```
#[derive(Clone)]
pub struct Connector(Arc<dyn Fn(Address) -> Connecting + Send + Sync>);

impl Connector {
    /// A connector that asks `connect` for a stream. The time that it takes counts towards the connect
    /// timeout; its error is a cause of `Unreachable`.
    pub fn new<F, C, T>(connect: F) -> Self
    where
        F: Fn(Address) -> C + Send + Sync + 'static,
        C: Future<Output = io::Result<T>> + Send + 'static,
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(move |address| {
            let connecting = connect(address);
            Box::pin(async move { Ok(Made(Box::new(connecting.await?))) })
        }))
    }

    pub(crate) async fn connect(&self, address: Address) -> io::Result<Made> {
        (self.0)(address).await
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

//! Connecting to an address.

use crate::address::{Address, Endpoint, Transport};
use crate::connection::Ends;
use crate::stream::Stream;
use std::io;
use tokio::net::{TcpStream, UnixStream};

/// Who is at the ends of a connection that is not there yet.
pub(super) fn ends(address: &Address) -> Ends {
    Ends { transport: address.transport.name(), local: None, remote: None }
}

pub(super) fn is_supported(address: &Address) -> bool {
    matches!(address.transport, Transport::Tcp | Transport::Unix)
}

/// Connects, to whichever of a name's addresses answers first in order.
pub(super) async fn connect(address: &Address) -> io::Result<(Stream, Ends)> {
    let ends = ends(address);
    match (&address.endpoint, address.transport) {
        (Endpoint::Path(path), _) => Ok((Stream::Unix(UnixStream::connect(path).await?), ends)),
        (Endpoint::Inet(host, port), Transport::Tcp) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
            let ends = Ends { local: Some(local), remote: Some(remote), ..ends };
            Ok((Stream::Tcp(stream), ends))
        }
        (Endpoint::Inet(..), _) => Err(io::ErrorKind::Unsupported.into()),
    }
}

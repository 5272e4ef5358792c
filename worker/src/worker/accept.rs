//! Accepting connections and datagrams, and what comes before their first message.

use super::{WorkerProcess, next_connection_id};
use crate::connection::{Connection, Ends, Serve};
use crate::listener::{Accepted, Listener};
use crate::outcome::text_of;
use crate::proxies::Proxies;
use crate::scheme::{Scheme, Wire, WireLimits};
use crate::socket::Listening;
use crate::stream::Stream;
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// How long a peer may take to say who it is, and to establish TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long to wait when the system has no descriptor for a new connection, or there are as many as may be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections have to pass.
#[derive(Clone)]
pub(super) struct Entrance {
    /// Those who say on whose behalf they connect.
    pub(super) proxies: Proxies,
    pub(super) security: Option<TlsAcceptor>,
}

impl Entrance {
    fn takes_time(&self, ends: Ends) -> bool {
        self.security.is_some() || self.proxies.are_speaking_for(ends)
    }

    async fn shake_hands(
        self,
        mut stream: TcpStream,
        mut ends: Ends,
    ) -> io::Result<(Stream, Ends)> {
        if self.proxies.are_speaking_for(ends) {
            ends.remote = self.proxies.read_header(&mut stream).await?.or(ends.remote);
        }
        let Some(security) = self.security else { return Ok((Stream::Tcp(stream), ends)) };
        let stream = security.accept(stream).await?;
        Ok((Stream::Tls(Box::new(stream.into())), Ends { transport: "ssl", ..ends }))
    }
}

/// Accepts what comes from a socket, until it is aborted.
pub(super) fn accept<S: Scheme, D: Default + 'static>(
    process: &WorkerProcess<S, D>,
    entrance: &Entrance,
    socket: Listening,
) -> io::Result<AbortHandle> {
    let listener = Listener::new(socket)?;
    let accepting = accept_forever(process.clone(), entrance.clone(), listener);
    Ok(spawn_local(accepting).abort_handle())
}

async fn accept_forever<S: Scheme, D: Default + 'static>(
    process: WorkerProcess<S, D>,
    entrance: Entrance,
    mut listener: Listener,
) {
    loop {
        while process.count() >= process.options().connections_max {
            sleep(ACCEPT_PAUSE).await;
        }
        match listener.accept().await {
            Ok(Accepted { stream: Stream::Tcp(stream), ends, datagram: None })
                if entrance.takes_time(ends) =>
            {
                process.handshakes_more();
                spawn_local(let_in(process.clone(), entrance.clone(), stream, ends));
            }
            Ok(Accepted { stream, ends, datagram: None }) => admit(&process, stream, ends),
            Ok(Accepted { stream, ends, datagram: Some(bytes) }) => {
                admit_datagram::<S, D>(&process, stream, ends, &bytes);
            }
            Err(error) if Listener::is_passing(&error) => {
                tracing::debug!(%error, "not accepted");
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves a connection once it is clear who it is from, and TLS is established.
async fn let_in<S: Scheme, D: Default + 'static>(
    process: WorkerProcess<S, D>,
    entrance: Entrance,
    stream: TcpStream,
    ends: Ends,
) {
    let shaken = timeout(HANDSHAKE, entrance.shake_hands(stream, ends)).await;
    match shaken {
        Ok(Ok((stream, ends))) => admit(&process, stream, ends),
        Ok(Err(error)) => tracing::debug!(remote = ?ends.remote, %error, "not let in"),
        Err(_) => tracing::debug!(remote = ?ends.remote, "not let in: it took too long"),
    }
    // Only now: until it is known as a connection, it is known as this.
    process.handshakes_less();
}

fn admit<S: Scheme, D: Default + 'static>(
    process: &WorkerProcess<S, D>,
    stream: Stream,
    ends: Ends,
) {
    let Some(connection) = connection(process, stream, ends, &[]) else { return };
    process.remember(&connection);
    if let Some(within) = process.options().authenticate_within {
        spawn_local(cut_off_unless_authenticated(process.clone(), connection.id(), within));
    }
    spawn_local(Serve::new(connection));
}

/// Each datagram is a connection for itself, of which only its messages are told.
fn admit_datagram<S: Scheme, D: Default + 'static>(
    process: &WorkerProcess<S, D>,
    stream: Stream,
    ends: Ends,
    bytes: &[u8],
) {
    if let Some(connection) = connection(process, stream, ends, bytes) {
        spawn_local(Serve::datagram(connection));
    }
}

/// Makes a connection. If the program's part in that panics, it costs only this one.
fn connection<S: Scheme, D: Default + 'static>(
    process: &WorkerProcess<S, D>,
    stream: Stream,
    ends: Ends,
    received: &[u8],
) -> Option<Connection<S, D>> {
    let limits = WireLimits { package_bytes_max: process.options().package_bytes_max };
    let make = || {
        let mut wire = S::Wire::new(stream, limits);
        wire.receive(received);
        Connection::new(next_connection_id(), ends, process.clone(), wire, D::default())
    };
    let made = catch_unwind(AssertUnwindSafe(make));
    let panicked = |payload: Box<dyn Any + Send>| {
        let text = text_of(payload.as_ref());
        tracing::error!(remote = ?ends.remote, "data of a connection panicked: {text}");
    };
    made.map_err(panicked).ok()
}

async fn cut_off_unless_authenticated<S: Scheme, D: 'static>(
    process: WorkerProcess<S, D>,
    connection: u64,
    within: Duration,
) {
    sleep(within).await;
    let connection = process.connection(connection);
    if let Some(connection) = connection.filter(|connection| !connection.is_authenticated()) {
        tracing::debug!(?connection, "has not authenticated in time (authenticate_within)");
        connection.close();
    }
}

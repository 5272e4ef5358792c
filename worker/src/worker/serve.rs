//! The life of a worker process: start, accept, take orders, let connections end, leave.

use super::process::Leaving;
use super::{Worker, WorkerProcess};
use crate::address::Transport;
use crate::connection::{Connection, Ends, Serve};
use crate::listener::{Accepted, Listener};
use crate::orders::Order;
use crate::outcome::Running;
use crate::scheme::{Scheme, Wire, WireLimits};
use crate::service::{AnyWorker, Served, Start};
use crate::settings::Settings;
use crate::socket::Listening;
use crate::stream::Stream;
use crate::tls::{Certificates, Tls};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};
use tokio_rustls::{Accept, TlsAcceptor};

/// How long a peer may take to establish TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long to wait when the system has no descriptor for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl<S: Scheme, D: Default + 'static> AnyWorker for Worker<S, D> {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn serve(self: Box<Self>, start: Start) -> Pin<Box<dyn Future<Output = Served>>> {
        let Self { settings, options, tls, handlers } = *self;
        let process = WorkerProcess::new(start.id, settings.name.clone(), options, handlers);
        Box::pin(live(process, settings, tls, start))
    }
}

async fn live<S: Scheme, D: Default + 'static>(
    process: WorkerProcess<S, D>,
    settings: Settings,
    tls: Option<Tls>,
    start: Start,
) -> Served {
    let security = match security(&settings, tls) {
        Ok(security) => security,
        Err(text) => return Served::NotStarted(text),
    };
    let callback = process.handlers().worker_start.as_ref();
    if let Some(running) = callback.map(|callback| callback(process.clone()))
        && let Err(failure) = running.await
    {
        return Served::NotStarted(format!("on_worker_start: {failure}"));
    }
    let accepting = match accept(&process, security.as_ref(), start.sockets) {
        Ok(accepting) => accepting,
        Err(error) => return Served::NotStarted(format!("cannot accept connections: {error}")),
    };
    if let Some(heartbeat) = process.options().heartbeat {
        spawn_local(sweep_forever(process.clone(), heartbeat.idle, heartbeat.sweep));
    }
    let _ = start.ready.send(());
    let mut orders = start.orders;
    let is_graceful = obey(&process, &mut orders).await;
    accepting.iter().for_each(AbortHandle::abort);
    let callback = process.handlers().worker_stop.as_ref();
    run(callback.map(|callback| callback(process.clone())), "on_worker_stop").await;
    drain(&process, &mut orders, is_graceful, settings.stop_timeout).await;
    match process.leaving() {
        Some(Leaving::Failed(text)) => Served::Failed(text),
        Some(Leaving::Wanted) | None => Served::Stopped,
    }
}

async fn run(running: Option<Running>, callback: &'static str) {
    if let Some(running) = running
        && let Err(failure) = running.await
    {
        tracing::error!(callback, "callback failed: {failure}");
    }
}

/// Does what it is told until it is told to stop, or wants to by itself. Returns whether it may take its time.
async fn obey<S: Scheme, D: 'static>(
    process: &WorkerProcess<S, D>,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) -> bool {
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = process.changed() => match process.leaving() {
                Some(_) => return false,
                None => continue,
            },
        };
        match order {
            Some(Order::Stop) => return false,
            // Nobody is left to order anything.
            Some(Order::StopGracefully) | None => return true,
            Some(other) => answer(process, other).await,
        }
    }
}

async fn answer<S: Scheme, D: 'static>(process: &WorkerProcess<S, D>, order: Order) {
    match order {
        Order::Stop | Order::StopGracefully => {}
        Order::Reloaded => {
            let callback = process.handlers().worker_reload.as_ref();
            run(callback.map(|callback| callback(process.clone())), "on_worker_reload").await;
        }
        Order::Status(answer) => {
            let _ = answer.send(process.status());
        }
        Order::Connections(answer) => {
            let _ = answer.send(process.connections().map(|one| one.status()).collect());
        }
    }
}

/// Lets connections end: those with something under way when that is done, all others soon if it is not to be
/// graceful, or when they want to if it is.
async fn drain<S: Scheme, D: 'static>(
    process: &WorkerProcess<S, D>,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    mut is_graceful: bool,
    stop_timeout: Duration,
) {
    let finish = |process: &WorkerProcess<S, D>| process.connections().for_each(|it| it.finish());
    let begun = Instant::now();
    let mut last_call = begun + stop_timeout / 2;
    if !is_graceful {
        finish(process);
    }
    while process.count() > 0 {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Stop) if is_graceful => {
                    is_graceful = false;
                    last_call = Instant::now() + stop_timeout / 2;
                    finish(process);
                }
                Some(order) => answer(process, order).await,
                None => sleep(ACCEPT_PAUSE).await,
            },
            () = process.changed() => {}
            () = tokio::time::sleep_until(last_call), if !is_graceful => {
                // What answers nothing more will not be asked again in time.
                process.connections().for_each(|connection| connection.close());
                let _ = timeout_at(begun + stop_timeout, process.changed()).await;
                last_call = Instant::now() + stop_timeout;
            }
        }
    }
}

/// What TLS needs, if it is spoken.
fn security(settings: &Settings, tls: Option<Tls>) -> Result<Option<TlsAcceptor>, String> {
    let wanted = matches!(&settings.listen, Some(Ok(it)) if it.transport == Transport::Ssl);
    let tls = match (wanted, tls) {
        (false, None) => return Ok(None),
        (false, Some(_)) => return Err("TLS goes over TCP only".to_owned()),
        (true, None) => return Err("an address with TLS needs certificates: .tls(..)".to_owned()),
        (true, Some(tls)) => tls,
    };
    let certificates = tls.load().map_err(|error| error.to_string())?;
    let acceptor = certificates.acceptor().map_err(|error| error.to_string())?;
    spawn_local(refresh_forever(certificates));
    Ok(Some(acceptor))
}

/// Looks whether certificates have been replaced.
async fn refresh_forever(certificates: Certificates) {
    loop {
        sleep(certificates.check_every()).await;
        match certificates.refresh() {
            Ok(true) => tracing::info!("certificates are read again"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "certificates are not replaced"),
        }
    }
}

fn accept<S: Scheme, D: Default + 'static>(
    process: &WorkerProcess<S, D>,
    security: Option<&TlsAcceptor>,
    sockets: Vec<Listening>,
) -> io::Result<Vec<AbortHandle>> {
    let accept = |socket: Listening| {
        let listener = Listener::new(socket)?;
        Ok(spawn_local(accept_forever(process.clone(), security.cloned(), listener)).abort_handle())
    };
    sockets.into_iter().map(accept).collect()
}

async fn accept_forever<S: Scheme, D: Default + 'static>(
    process: WorkerProcess<S, D>,
    security: Option<TlsAcceptor>,
    mut listener: Listener,
) {
    loop {
        while process.count() + process.handshakes().get() >= process.options().connections_max {
            sleep(ACCEPT_PAUSE).await;
        }
        match listener.accept().await {
            Ok(Accepted { stream, ends, datagram: None }) => match (stream, &security) {
                (Stream::Tcp(stream), Some(security)) => {
                    let handshake = security.accept(stream);
                    process.handshakes().set(process.handshakes().get() + 1);
                    spawn_local(shake_hands(process.clone(), handshake, ends));
                }
                (stream, _) => admit(&process, stream, ends),
            },
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

/// Serves a connection once TLS is established.
async fn shake_hands<S: Scheme, D: Default + 'static>(
    process: WorkerProcess<S, D>,
    handshake: Accept<TcpStream>,
    ends: Ends,
) {
    let shaken = timeout(HANDSHAKE, handshake).await;
    process.handshakes().set(process.handshakes().get() - 1);
    match shaken {
        Ok(Ok(stream)) => {
            let ends = Ends { transport: "ssl", ..ends };
            admit(&process, Stream::Tls(Box::new(stream.into())), ends);
        }
        Ok(Err(error)) => tracing::debug!(remote = ?ends.remote, %error, "no TLS"),
        Err(_) => tracing::debug!(remote = ?ends.remote, "no TLS in time"),
    }
}

fn admit<S: Scheme, D: Default + 'static>(
    process: &WorkerProcess<S, D>,
    stream: Stream,
    ends: Ends,
) {
    let limits = WireLimits { package_bytes_max: process.options().package_bytes_max };
    let wire = S::Wire::new(stream, limits);
    let id = process.next_connection_id();
    let connection = Connection::new(id, ends, process.clone(), wire, D::default());
    process.remember(&connection);
    if let Some(within) = process.options().authenticate_within {
        spawn_local(cut_off_unless_authenticated(connection.clone(), within));
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
    let limits = WireLimits { package_bytes_max: process.options().package_bytes_max };
    let mut wire = S::Wire::new(stream, limits);
    wire.receive(bytes);
    let id = process.next_connection_id();
    let connection = Connection::new(id, ends, process.clone(), wire, D::default());
    spawn_local(Serve::datagram(connection));
}

async fn cut_off_unless_authenticated<S: Scheme, D: 'static>(
    connection: Connection<S, D>,
    within: Duration,
) {
    sleep(within).await;
    if !connection.is_authenticated() {
        tracing::debug!(?connection, "has not authenticated in time (authenticate_within)");
        connection.close();
    }
}

/// Ends connections that have been silent for too long.
async fn sweep_forever<S: Scheme, D: 'static>(
    process: WorkerProcess<S, D>,
    idle: Duration,
    sweep: Duration,
) {
    let mut ticks = interval(sweep.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for connection in process.connections() {
            if connection.last_message().elapsed() >= idle {
                tracing::debug!(?connection, "silent for too long (heartbeat)");
                connection.close();
            }
        }
    }
}

//! Where connections come from: endpoints that are bound, and endpoints that are connected to again and
//! again.

use crate::connection::serve;
use crate::core::{Core, Link};
use crate::options::Endpoints;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use workyard_adapter_kit::{Error, ErrorKind};

/// How long nobody is accepted after that was not possible.
const PAUSE: Duration = Duration::from_millis(100);

/// Binds and connects, once.
pub(crate) fn start(core: &Arc<Core>, endpoints: &Endpoints) -> Result<(), Error> {
    let mut state = core.state();
    if state.started {
        return Ok(());
    }
    let bound = endpoints.bind.iter().map(|endpoint| bind(core, endpoint));
    let bound = bound.collect::<Result<Vec<_>, Error>>()?;
    state.addresses = bound.iter().map(|(address, _)| *address).collect();
    state.started = true;
    core.tell(&state);
    drop(state);
    let places = Arc::new(Semaphore::new(core.options.peers_max));
    for (_, listener) in bound {
        tokio::spawn(accept(Arc::clone(core), listener, Arc::clone(&places)));
    }
    for (index, (host, port)) in endpoints.connect.iter().enumerate() {
        tokio::spawn(connect(Arc::clone(core), index, host.clone(), *port));
    }
    Ok(())
}

fn bind(core: &Core, (host, port): &(String, u16)) -> Result<(SocketAddr, TcpListener), Error> {
    let bind = || {
        let listener = std::net::TcpListener::bind((&**host, *port))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        io::Result::Ok((listener.local_addr()?, listener))
    };
    bind().map_err(|error| {
        let message = format!("{host}:{port} cannot be bound: {error}");
        core.guard.error(ErrorKind::Unreachable, message).with_source(error).transient(false)
    })
}

async fn accept(core: Arc<Core>, listener: TcpListener, places: Arc<Semaphore>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = core.stop.stopped() => return,
        };
        let Ok((stream, _)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        // One too many is sent away by being dropped.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let core = Arc::clone(&core);
        tokio::spawn(async move {
            let known = AtomicBool::new(false);
            let end = serve(&core, stream, || known.store(true, Relaxed)).await;
            // Strangers come and go.
            if known.load(Relaxed) && !core.stop.is_stopped() {
                core.guard.lost(&core.guard.placed(end));
            }
            drop(place);
        });
    }
}

async fn connect(core: Arc<Core>, index: usize, host: String, port: u16) {
    let mut waits = core.options.reconnect.waits();
    loop {
        let since = OnceLock::new();
        let established = || {
            since.get_or_init(Instant::now);
            core.set_link(index, Link::Ready);
        };
        let end = match reach(&core, &host, port).await {
            Ok(stream) => serve(&core, stream, established).await,
            Err(error) => error,
        };
        if core.stop.is_stopped() {
            return;
        }
        let end = core.guard.placed(end);
        core.guard.lost(&end);
        core.set_link(index, Link::Down(end));
        // One that is lost at once says that something is wrong with it.
        let longest = core.options.reconnect.max;
        if since.get().is_some_and(|since| since.elapsed() >= longest) {
            waits.reset();
        }
        tokio::select! {
            () = sleep(waits.next_wait()) => {}
            () = core.stop.stopped() => return,
        }
    }
}

async fn reach(core: &Core, host: &str, port: u16) -> Result<TcpStream, Error> {
    let limit = core.options.calls.connect_timeout;
    let unreachable = |why: &dyn std::fmt::Display| {
        let message = format!("no connection to {host}:{port}: {why}");
        Error::new(ErrorKind::Unreachable, message)
    };
    tokio::select! {
        reached = timeout(limit, TcpStream::connect((host, port))) => match reached {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(unreachable(&error).with_source(error)),
            Err(_) => Err(unreachable(&format!("none within {limit:?}"))),
        },
        () = core.stop.stopped() => Err(core.closed()),
    }
}

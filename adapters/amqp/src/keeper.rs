//! Keeps the connection: connects, declares again what was declared, and begins anew when it is lost.

use crate::error;
use crate::limits::{GOODBYE_MAX, LOOK_PERIOD, RESTORE_PATIENCE};
use crate::live::Live;
use crate::shared::Shared;
use crate::topology::Declaration;
use crate::{Error, ErrorKind, Result};
use futures_util::{Stream, StreamExt};
use lapin::{Connection, ConnectionProperties, Event};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval, sleep, timeout};

/// What the server says of a queue that is another connection's alone.
const LOCKED: &str = "405";

/// Who waits for the end.
pub(crate) type Close = oneshot::Sender<()>;

pub(crate) struct Keeper {
    shared: Arc<Shared>,
    /// Ends when there is no handle any more.
    closes: mpsc::Receiver<Close>,
    connections: u64,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>, closes: mpsc::Receiver<Close>) -> Self {
        Self { shared, closes, connections: 0 }
    }

    pub(crate) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let close = tokio::select! {
            close = self.closes.recv() => close,
            () = keep(&shared, &mut self.connections) => None,
        };
        let live = shared.live();
        shared.closed();
        if let Some(live) = live {
            // Gone is gone.
            let _ = timeout(GOODBYE_MAX, live.connection.close(200, "OK".into())).await;
        }
        if let Some(close) = close {
            let _ = close.send(());
        }
    }
}

/// One connection after the other, without end.
async fn keep(shared: &Shared, connections: &mut u64) {
    let backoff = shared.guard.options().retry.backoff;
    let (mut waits, mut wait) = (backoff.waits(), Duration::ZERO);
    loop {
        let started = Instant::now();
        *connections += 1;
        let error = live(shared, *connections).await;
        shared.lost(error.clone());
        // One that did not even last as long as was waited for it is no success.
        if started.elapsed() > wait {
            waits.reset();
        }
        // Who was refused does not storm the gates.
        wait = match error.kind() {
            ErrorKind::Refused => backoff.max,
            _ => waits.next_wait(),
        };
        sleep(wait).await;
    }
}

/// One connection, from the attempt to its end.
async fn live(shared: &Shared, number: u64) -> Error {
    let patience = shared.guard.options().connect_timeout;
    let live = match timeout(patience, connect(shared, number)).await {
        Ok(Ok(live)) => live,
        Ok(Err(error)) => return error,
        Err(_) => {
            let message = format!("not connected within {patience:?}");
            return Error::new(ErrorKind::TimedOut, message).not_carried_out();
        }
    };
    let mut events = live.connection.events_listener();
    if let Err(error) = restore(shared, &live).await {
        return error;
    }
    shared.connected(&live);
    // What another connection still has, the server may give up when it sees that that is gone.
    let later = async {
        let mut waits = shared.guard.options().retry.backoff.waits();
        loop {
            sleep(waits.next_wait()).await;
            if let Err(error) = declare_missing(shared, &live).await {
                tracing::debug!(target: "workyard_adapter", %error, "not declared again");
            }
        }
    };
    tokio::select! {
        error = watched(&live, &mut events) => error,
        () = later => unreachable!("it goes on for ever"),
    }
}

/// Until it is lost.
async fn watched(live: &Live, events: &mut (impl Stream<Item = Event> + Unpin)) -> Error {
    let mut looks = interval(LOOK_PERIOD);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = looks.tick() => None,
        };
        match event {
            Some(Event::ConnectionBlocked(why)) => drop(live.blocked.send_replace(Some(why))),
            Some(Event::ConnectionUnblocked) => drop(live.blocked.send_replace(None)),
            Some(Event::Error(error)) if !live.connection.status().connected() => {
                return error::of_request(error);
            }
            _ if !live.connection.status().connected() => {
                return Error::new(ErrorKind::Disconnected, "the connection was lost");
            }
            _ => {}
        }
    }
}

async fn connect(shared: &Shared, number: u64) -> Result<Arc<Live>> {
    let settled = &shared.settled;
    let properties =
        ConnectionProperties::default().with_connection_name(settled.options.name.as_str().into());
    let runtime = lapin::runtime::default_runtime().map_err(error::of_connecting)?;
    let connected = Connection::connect_uri_with_config(
        settled.uri.clone(),
        properties,
        settled.tls.clone(),
        runtime,
    );
    let connection = connected.await.map_err(error::of_connecting)?;
    Ok(Arc::new(Live::new(number, connection)))
}

/// Declares what was declared. What the server does not want any more is left out, and said. What another
/// connection has is waited for a little: it may be this client's last one, not known to be lost yet.
async fn restore(shared: &Shared, live: &Live) -> Result<()> {
    let all = shared.topology().all();
    declare_all(shared, live, all).await?;
    let mut waits = shared.guard.options().retry.backoff.waits();
    let deadline = Instant::now() + RESTORE_PATIENCE;
    while Instant::now() < deadline && !shared.topology().missing().is_empty() {
        sleep(waits.next_wait().min(RESTORE_PATIENCE / 4)).await;
        declare_missing(shared, live).await?;
    }
    Ok(())
}

async fn declare_missing(shared: &Shared, live: &Live) -> Result<()> {
    let missing = shared.topology().missing();
    declare_all(shared, live, missing).await
}

async fn declare_all(shared: &Shared, live: &Live, all: Vec<Declaration>) -> Result<()> {
    let patience = shared.guard.options().request_timeout;
    let mut channel = None;
    for declaration in all {
        let usable = match channel.take() {
            Some(channel) => channel,
            None => live.channel().await?,
        };
        match timeout(patience, declaration.declare(&usable)).await {
            Ok(Ok(_)) => {
                shared.topology().set_missing(&declaration, false);
                channel = Some(usable);
            }
            Ok(Err(error)) if error.kind() == ErrorKind::Server => {
                // What belongs to a queue that is missing is missing with it.
                let is_late = error.code() == Some(LOCKED) || shared.topology().waits(&declaration);
                if !shared.topology().set_missing(&declaration, is_late) {
                    let error = shared.guard.placed(error.during("restore"));
                    tracing::warn!(target: "workyard_adapter", %error, ?declaration, "not declared again");
                }
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(Error::new(ErrorKind::TimedOut, "no answer to a declaration")),
        }
    }
    Ok(())
}

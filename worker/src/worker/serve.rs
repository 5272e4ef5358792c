//! The life of a worker process: start, accept, take orders, let connections end, leave.

use super::accept::Entrance;
use super::process::Leaving;
use super::{Options, Worker, WorkerProcess};
use crate::address::Transport;
use crate::client::clients;
use crate::connection::Ending;
use crate::orders::Order;
use crate::outcome::Running;
use crate::proxies::Proxies;
use crate::scheme::Scheme;
use crate::service::{AnyWorker, Served, Start};
use crate::settings::Settings;
use crate::tls::{Certificates, Tls};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_rustls::TlsAcceptor;

/// Longer than anybody waits; beyond it, time has no end that could be added.
const STOP_TIMEOUT_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often a process that nobody can order anything looks whether its connections have gone.
const ORPHAN_PAUSE: Duration = Duration::from_millis(100);

impl<S: Scheme, D: Default + 'static> AnyWorker for Worker<S, D> {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn serve(self: Box<Self>, start: Start) -> Pin<Box<dyn Future<Output = Served>>> {
        let Self { settings, options, tls, proxies, handlers } = *self;
        let options =
            Options { backlog: settings.backlog, reuse_port: settings.reuse_port, ..options };
        let process = WorkerProcess::new(start.id, settings.name.clone(), options, handlers);
        Box::pin(live(process, settings, (tls, proxies), start))
    }
}

async fn live<S: Scheme, D: Default + 'static>(
    process: WorkerProcess<S, D>,
    settings: Settings,
    (tls, proxies): (Option<Tls>, Proxies),
    start: Start,
) -> Served {
    match security(&settings, tls) {
        Ok(security) => process.open(Entrance { proxies, security }),
        Err(text) => return Served::NotStarted(text),
    }
    if let Some(running) = process.handlers().worker_start(&process)
        && let Err(failure) = running.await
    {
        return Served::NotStarted(format!("on_worker_start: {failure}"));
    }
    if let Err(error) = process.accept(start.sockets) {
        return Served::NotStarted(format!("cannot accept connections: {error}"));
    }
    if let Some(heartbeat) = process.options().heartbeat {
        spawn_local(sweep_forever(process.clone(), heartbeat.idle, heartbeat.sweep));
    }
    let _ = start.ready.send(());
    let mut orders = start.orders;
    let is_graceful = obey(&process, &mut orders).await;
    process.shut();
    let _ = start.leaving.send(is_graceful);
    run(process.handlers().worker_stop(&process), "on_worker_stop").await;
    let stop_timeout = start.stop_timeout.min(STOP_TIMEOUT_MAX);
    drain(&process, &mut orders, is_graceful, stop_timeout).await;
    clients::leave(stop_timeout / 4).await;
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
            run(process.handlers().worker_reload(process), "on_worker_reload").await;
        }
        Order::Status(answer) => {
            let _ = answer.send(process.status());
        }
        Order::Connections(answer) => {
            let own = process.connections().map(|connection| connection.status());
            let _ = answer.send(own.chain(clients::connections()).collect());
        }
    }
}

/// Lets connections end: those with something under way when that is done, all others soon if it is not to be
/// graceful, or when they want to if it is.
async fn drain<S: Scheme, D: 'static>(
    process: &WorkerProcess<S, D>,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    is_graceful: bool,
    stop_timeout: Duration,
) {
    let mut urgency = (!is_graceful).then(|| Urgency::begin(stop_timeout));
    process.end(if is_graceful { Ending::WindDown } else { Ending::Finish });
    while process.count() > 0 {
        let next = urgency.as_ref().map_or_else(far, Urgency::next);
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Stop) if urgency.is_none() => {
                    urgency = Some(Urgency::begin(stop_timeout));
                    process.end(Ending::Finish);
                }
                Some(order) => answer(process, order).await,
                None => sleep(ORPHAN_PAUSE).await,
            },
            () = process.changed() => {}
            () = sleep_until(next), if urgency.is_some() => {
                let Some(urgency) = &mut urgency else { continue };
                match urgency.step() {
                    // What answers nothing more will not be asked again in time.
                    1 => process.connections().for_each(|connection| connection.close_soon()),
                    2 => process.connections().for_each(|connection| connection.destroy()),
                    _ => return,
                }
            }
        }
    }
}

/// When connections that do not end are to be helped: after the half, three quarters and nine tenths of the timeout.
struct Urgency {
    begun: Instant,
    stop_timeout: Duration,
    steps: usize,
}

impl Urgency {
    const PERCENT: [u32; 3] = [50, 75, 90];

    fn begin(stop_timeout: Duration) -> Self {
        Self { begun: Instant::now(), stop_timeout, steps: 0 }
    }

    fn next(&self) -> Instant {
        let percent = Self::PERCENT.get(self.steps).copied().unwrap_or(100);
        self.begun + self.stop_timeout * percent / 100
    }

    fn step(&mut self) -> usize {
        self.steps += 1;
        self.steps
    }
}

fn far() -> Instant {
    Instant::now() + STOP_TIMEOUT_MAX
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

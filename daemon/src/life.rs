//! The life of a daemon: serve, take commands, stop accepting, answer what is in flight, leave.

use crate::driver::{Driver, Shared};
use crate::exit::ExitStatus;
use crate::listener::{Bound, Listener};
use crate::service::{Facts, Service};
use crate::session::Session;
use crate::settings::Settings;
use crate::stream::{Reader, Writer};
use crate::sweep::sweep_forever;
use crate::turn::Turn;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::LocalOptions;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::Instant;
use workyard_protocol::{Reason, Refusal};

/// How long a stopping daemon goes on serving before it says goodbye, so that what was sent before
/// the stop has arrived.
const GRACE: Duration = Duration::from_millis(50);

/// How long to wait when the system has no descriptor for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Beyond the limit of sessions, so many are told so; more are hung up on.
const TURNED_AWAY_MAX: usize = 64;

/// What a running daemon may be told.
#[derive(Debug)]
pub(crate) enum Command {
    /// Take over what may change.
    Reload(Box<Settings>),
    /// Stop.
    Drain,
}

/// Runs on the calling thread until told to stop.
pub(crate) fn run<S: Service>(
    bound: Vec<Bound>,
    settings: Settings,
    limits: &S::Limits,
    commands: mpsc::UnboundedReceiver<Command>,
) -> io::Result<ExitStatus> {
    let epoch = epoch();
    let engine = S::engine(limits, &settings, epoch);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().enable_time().build_local(LocalOptions::default())?;
    let facts = Facts {
        kind: S::KIND,
        server: format!("{} {}", S::KIND.name(), S::VERSION),
        epoch,
        heartbeat_ms: settings.heartbeat_ms(),
        frame_bytes_max: settings.frame_bytes_max,
    };
    let shared: Shared<S> = Rc::new(RefCell::new(Driver::new(engine, facts, settings)));
    runtime.block_on(live(shared, bound, commands))
}

async fn live<S: Service>(
    shared: Shared<S>,
    bound: Vec<Bound>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) -> io::Result<ExitStatus> {
    spawn_local(Turn::new(Rc::clone(&shared)));
    spawn_local(sweep_forever(Rc::clone(&shared)));
    let mut accepting = Vec::new();
    for socket in bound {
        let listener = socket.into_listener()?;
        let task = spawn_local(accept_forever(Rc::clone(&shared), listener));
        accepting.push(task.abort_handle());
    }
    while let Some(command) = commands.recv().await {
        match command {
            Command::Reload(settings) => reload(&mut shared.borrow_mut(), *settings),
            Command::Drain => return Ok(drain(&shared, &accepting).await),
        }
    }
    // Nobody is left who could stop us: serve on.
    std::future::pending().await
}

/// A number that no other start of this server has had: the time of the start, to the microsecond.
fn epoch() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

async fn accept_forever<S: Service>(shared: Shared<S>, listener: Listener) {
    let mut complained: Option<Instant> = None;
    loop {
        match listener.accept().await {
            Ok((reader, writer)) => admit(&shared, reader, writer),
            // A peer that has gone already is none of our business.
            Err(error) if !is_exhausted(&error) => tracing::debug!(%error, "not accepted"),
            Err(error) => {
                let quiet = complained.is_some_and(|at| at.elapsed() < Duration::from_secs(1));
                if !quiet {
                    tracing::warn!(%error, "cannot accept a connection");
                    complained = Some(Instant::now());
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the system has nothing left to accept with; trying again at once would only spin.
fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error
        .raw_os_error()
        .is_some_and(|code| exhausted.iter().any(|errno| errno.raw_os_error() == code))
}

fn admit<S: Service>(shared: &Shared<S>, reader: Reader, writer: Writer) {
    let mut driver = shared.borrow_mut();
    let limit = driver.settings.sessions_max;
    let taken = driver.delivery.peers.len();
    if taken >= limit + TURNED_AWAY_MAX {
        return;
    }
    let session = driver.open(writer);
    if taken >= limit
        && let Some(peer) = driver.delivery.peer_mut(session)
    {
        let text = format!("all {limit} sessions are taken (sessions_max)");
        peer.doom(Refusal::new(Reason::TooManySessions, text));
    }
    drop(driver);
    tracing::debug!(%session, "accepted");
    spawn_local(Session::new(Rc::clone(shared), session, reader));
}

fn reload<S: Service>(driver: &mut Driver<S>, settings: Settings) {
    let old = std::mem::replace(&mut driver.settings, settings);
    let new = &mut driver.settings;
    for (name, changed) in [
        ("listen", old.listen != new.listen),
        ("frame_bytes_max", old.frame_bytes_max != new.frame_bytes_max),
    ] {
        if changed {
            tracing::warn!(setting = name, "changes only with a restart");
        }
    }
    new.listen = old.listen;
    new.frame_bytes_max = old.frame_bytes_max;
    driver.facts.heartbeat_ms = new.heartbeat_ms();
    driver.delivery.apply(&driver.settings);
    tracing::info!("settings reloaded");
}

async fn drain<S: Service>(shared: &Shared<S>, accepting: &[AbortHandle]) -> ExitStatus {
    let deadline = Instant::now() + shared.borrow().settings.drain_deadline;
    // Who connected before the stop is accepted, to be told of it.
    tokio::time::sleep(GRACE).await;
    for task in accepting {
        task.abort();
    }
    {
        let mut driver = shared.borrow_mut();
        driver.draining = true;
        driver.cut = 0;
        tracing::info!(sessions = driver.delivery.peers.len(), "stopping");
        for (_, peer) in driver.delivery.peers.iter() {
            peer.wake();
        }
    }
    while !shared.borrow().delivery.peers.is_empty() {
        if Instant::now() >= deadline {
            let left = shared.borrow().delivery.peers.len();
            tracing::warn!(sessions = left, "stopped at the deadline");
            return ExitStatus::Cut;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    match shared.borrow().cut {
        0 => {
            tracing::info!("stopped");
            ExitStatus::Drained
        }
        cut => {
            tracing::warn!(sessions = cut, "stopped before everything was read");
            ExitStatus::Cut
        }
    }
}

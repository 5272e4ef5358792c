//! What reaches a worker process from outside: lines of its supervisor, and signals.

use super::voice::Voice;
use crate::messages::{Answer, CONNECTIONS_LISTED_MAX, FromWorker, ToWorker};
use crate::orders::Order;
use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;

/// The number of `SIGTSTP`.
const TSTP: i32 = rustix::process::Signal::TSTP.as_raw();

/// Passes on to the worker what it is told.
///
/// # Errors
/// The operating system's.
pub(super) fn take(
    supervisor: UnixStream,
    orders: mpsc::UnboundedSender<Order>,
    voice: Rc<Voice>,
    reloadable: bool,
) -> io::Result<()> {
    supervisor.set_nonblocking(true)?;
    let supervisor = tokio::net::UnixStream::from_std(supervisor)?;
    obey_signals(&orders, &voice, reloadable)?;
    spawn_local(async move {
        let mut lines = BufReader::new(supervisor).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(message) => obey(message, &orders, &voice),
                Err(error) => tracing::warn!("the supervisor says {line:?}: {error}"),
            }
        }
        // Nobody supervises this process any more, and another service may be started.
        tracing::warn!("the supervisor has gone");
        let _ = orders.send(Order::Stop);
    });
    Ok(())
}

fn obey(message: ToWorker, orders: &mpsc::UnboundedSender<Order>, voice: &Rc<Voice>) {
    let order = match message {
        ToWorker::Stop => Order::Stop,
        ToWorker::StopGracefully => Order::StopGracefully,
        ToWorker::Reloaded => Order::Reloaded,
        ToWorker::Status => Order::Status(answer(voice, |worker| {
            FromWorker::Status(Answer { worker, memory_bytes: memory_bytes() })
        })),
        ToWorker::Connections => Order::Connections(answer(voice, |mut connections: Vec<_>| {
            connections.truncate(CONNECTIONS_LISTED_MAX);
            FromWorker::Connections(connections)
        })),
    };
    let _ = orders.send(order);
}

/// Where the worker answers to, from where it goes to the supervisor.
fn answer<T: 'static>(
    voice: &Rc<Voice>,
    message: impl FnOnce(T) -> FromWorker + 'static,
) -> oneshot::Sender<T> {
    let (sender, receiver) = oneshot::channel();
    let voice = Rc::clone(voice);
    spawn_local(async move {
        if let Ok(answer) = receiver.await {
            voice.say(message(answer));
        }
    });
    sender
}

fn obey_signals(
    orders: &mpsc::UnboundedSender<Order>,
    voice: &Rc<Voice>,
    reloadable: bool,
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut reload = signal(SignalKind::user_defined1())?;
    // What is meant for the supervisor, and sent to all, does not end this process.
    for kind in [SignalKind::hangup(), SignalKind::user_defined2(), SignalKind::from_raw(TSTP)] {
        drop(signal(kind)?);
    }
    let (orders, voice) = (orders.clone(), Rc::clone(voice));
    spawn_local(async move {
        loop {
            let order = tokio::select! {
                Some(()) = terminate.recv() => Order::Stop,
                Some(()) = interrupt.recv() => Order::Stop,
                Some(()) = quit.recv() => Order::StopGracefully,
                Some(()) = reload.recv() => match reloadable {
                    false => Order::Reloaded,
                    true => {
                        voice.say(FromWorker::Reload);
                        continue;
                    }
                },
            };
            let _ = orders.send(order);
        }
    });
    Ok(())
}

/// The process's memory that is really there.
fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

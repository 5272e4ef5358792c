//! Ends everything when the user, the system or a clock says so.

use super::Children;
use anyhow::{Context, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// A thread that waits for signals, and for a step that takes longer than it may.
pub(crate) struct Guard {
    start: Instant,
    /// When the current step must be over, in milliseconds since `start`.
    deadline_ms: Arc<AtomicU64>,
}

const CHECK_INTERVAL: Duration = Duration::from_millis(500);

impl Guard {
    /// From now on `children` end with this process, unless that is killed outright.
    pub(crate) fn new(children: Arc<Children>) -> Result<Self> {
        let start = Instant::now();
        let deadline_ms = Arc::new(AtomicU64::new(u64::MAX));
        let deadline = Arc::clone(&deadline_ms);
        let (is_ready, ready) = mpsc::sync_channel(1);
        thread::Builder::new().name("guard".to_owned()).spawn(move || {
            let outcome = watch(&children, start, &deadline, &is_ready);
            // Nobody listens once the guard is known to work.
            let _ = is_ready.send(outcome);
        })?;
        ready.recv().context("the guard ended")??;
        Ok(Self { start, deadline_ms })
    }

    /// The next step may take this long; then everything ends.
    pub(crate) fn allow(&self, time: Duration) {
        let deadline = (self.start.elapsed() + time).as_millis() as u64;
        self.deadline_ms.store(deadline, Ordering::Relaxed);
    }
}

fn watch(
    children: &Arc<Children>,
    start: Instant,
    deadline_ms: &AtomicU64,
    is_ready: &mpsc::SyncSender<Result<()>>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for (kind, code) in [
            (SignalKind::interrupt(), 130),
            (SignalKind::terminate(), 143),
            (SignalKind::hangup(), 129),
        ] {
            let mut signals = signal(kind)?;
            let children = Arc::clone(children);
            tokio::spawn(async move {
                signals.recv().await;
                give_up(&children, "interrupted", code);
            });
        }
        // The one who waits for it is still there.
        let _ = is_ready.send(Ok(()));
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            if start.elapsed().as_millis() as u64 > deadline_ms.load(Ordering::Relaxed) {
                give_up(children, "a step took longer than it may", 1);
            }
        }
    })
}

fn give_up(children: &Children, why: &str, code: i32) {
    eprintln!("workyard-bench: {why}; ending the servers");
    children.end_all();
    std::process::exit(code);
}

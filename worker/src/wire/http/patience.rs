//! How long a peer may take.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// For the head of a request, from its first byte to its last.
const HEAD: Duration = Duration::from_secs(30);
/// To send anything more of a body, or to read anything more of a response. After the peer has ended its side, so long
/// for the answer: it may have gone altogether.
const PROGRESS: Duration = Duration::from_secs(60);
/// To begin a request, the first or the next.
const IDLE: Duration = Duration::from_secs(75);
/// To begin another when the process is to leave: who asks this often loses none.
const LEAVING: Duration = Duration::from_millis(500);

/// What a connection waits for; when it changes, or what it holds does, waiting begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// For a request, after so many.
    Request { requests: u64 },
    /// The same, and the process is to leave.
    LastRequest { requests: u64 },
    /// For the rest of a request's head.
    Head { requests: u64 },
    /// For the rest of its body, after so many bytes.
    Body { read: u64 },
    /// For the peer to read, after so many bytes.
    Peer { written: u64 },
    /// For our own side, while the peer can only read any more, or not even that.
    LastAnswer,
    /// For our own side.
    Us,
}

/// Counts the time. Its timer is only set again when it has run out, or has to be sooner.
#[derive(Debug)]
pub(super) struct Patience {
    waits: Waits,
    since: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { waits: Waits::Us, since: Instant::now(), sleep: None }
    }

    /// `Ready` when the peer has taken too long.
    pub(super) fn poll(&mut self, waits: Waits, context: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = limit(waits) else {
            self.waits = waits;
            return Poll::Pending;
        };
        if self.waits != waits {
            self.waits = waits;
            self.since = Instant::now();
        }
        let due = self.since + limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        while sleep.as_mut().poll(context).is_ready() {
            if sleep.deadline() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}

fn limit(waits: Waits) -> Option<Duration> {
    match waits {
        Waits::Request { .. } => Some(IDLE),
        Waits::LastRequest { .. } => Some(LEAVING),
        Waits::Head { .. } => Some(HEAD),
        Waits::Body { .. } | Waits::Peer { .. } | Waits::LastAnswer => Some(PROGRESS),
        Waits::Us => None,
    }
}

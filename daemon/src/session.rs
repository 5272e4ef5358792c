//! One connection's task: reads, has the driver hear it, and sees the connection to its end.

use crate::driver::{Driver, Outcome, Shared, Verdict};
use crate::inbox::{Arrival, Inbox};
use crate::native::Native;
use crate::peer::{State, keep_waker};
use crate::service::{Dialect, Ending, Service};
use crate::stream::Reader;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep};
use workyard_engine::SessionId;
use workyard_protocol::{Reason, Refusal};

/// How long a connection that ends may take nothing of what is left for it, and how long it may then
/// take to hang up.
const LINGER: Duration = Duration::from_secs(1);

pub(crate) struct Session<S: Service> {
    shared: Shared<S>,
    id: SessionId,
    reader: Reader,
    inbox: Inbox,
    /// What of the inbox is counted among the bytes that all sessions hold.
    held_bytes: usize,
    phase: Phase,
}

enum Phase {
    Serving,
    /// The rest of the input waits until the peer has read some answers.
    Paused,
    Closing(Box<Closing>),
}

/// A connection that only sends what is left.
struct Closing {
    linger: Pin<Box<Sleep>>,
    /// What was left when it was last looked at.
    pending: usize,
}

/// Why a session ends.
enum End {
    /// The peer hung up, properly or not.
    Left,
    /// We do not want it any longer.
    Refused(Ending),
}

impl End {
    fn refused(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl<S: Service> Session<S> {
    pub(crate) fn new(shared: Shared<S>, id: SessionId, reader: Reader) -> Self {
        let inbox = Inbox::default();
        Self { shared, id, reader, inbox, held_bytes: 0, phase: Phase::Serving }
    }

    fn step(&mut self, driver: &mut Driver<S>, cx: &mut Context<'_>) -> Poll<()> {
        if !matches!(self.phase, Phase::Closing(_)) {
            let end = ready!(self.serve(driver, cx));
            self.close(driver, end);
        }
        ready!(self.poll_closed(driver, cx));
        if driver.delivery.remove(self.id) > 0 {
            driver.cut += 1;
        }
        Poll::Ready(())
    }

    /// Ready when the connection is to end.
    fn serve(&mut self, driver: &mut Driver<S>, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let Some(peer) = driver.delivery.peer_mut(self.id) else {
                return Poll::Ready(End::Left);
            };
            match &peer.state {
                // What a peer said before it hung up on us counts, also if it waited for no answer.
                State::Open | State::Broken => {}
                State::Doomed(refusal) => return Poll::Ready(End::refused((**refusal).clone())),
                State::Closing => return Poll::Ready(End::Left),
            }
            keep_waker(&mut peer.waker, cx);
            if peer.blocked {
                let unblocked = driver.delivery.poll_unblock(self.id, cx).is_ready();
                // Even a part that was sent may have made room.
                driver.schedule_turn();
                if unblocked {
                    continue;
                }
            }
            if driver.delivery.must_pause(self.id) {
                driver.delivery.await_room(self.id);
                return Poll::Pending;
            }
            let end = if matches!(self.phase, Phase::Paused) {
                self.phase = Phase::Serving;
                let held = self.inbox.take();
                self.hear_held(driver, held)
            } else {
                ready!(self.poll_arrival(driver, cx))
            };
            if let Some(end) = end {
                return Poll::Ready(end);
            }
        }
    }

    /// Reads once and has the driver hear it.
    fn poll_arrival(&mut self, driver: &mut Driver<S>, cx: &mut Context<'_>) -> Poll<Option<End>> {
        let reader = Pin::new(&mut self.reader);
        let arrival = match self.inbox.poll_read(cx, reader, &mut driver.scratch) {
            Poll::Pending if driver.draining => {
                let refusal = Refusal::new(Reason::ShuttingDown, "the server is stopping");
                return Poll::Ready(Some(End::refused(refusal)));
            }
            outcome => ready!(outcome),
        };
        let (end, more) = match arrival {
            Err(_) | Ok(Arrival::End) => (Some(End::Left), false),
            Ok(Arrival::Held) => {
                let held = self.inbox.take();
                (self.hear_held(driver, held), true)
            }
            Ok(Arrival::Shared { length, more }) => {
                let scratch = std::mem::take(&mut driver.scratch);
                let Outcome { used, verdict } = driver.hear(self.id, &scratch[..length]);
                self.inbox.keep(&scratch[used..length], missing(&verdict));
                driver.scratch = scratch;
                (self.judge(driver, verdict), more)
            }
        };
        if end.is_none() && more {
            // Others get their turn before this one goes on.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(end)
    }

    fn hear_held(&mut self, driver: &mut Driver<S>, held: Vec<u8>) -> Option<End> {
        let Outcome { used, verdict } = driver.hear(self.id, &held);
        self.inbox.put_back(held, used, missing(&verdict));
        self.judge(driver, verdict)
    }

    fn judge(&mut self, driver: &mut Driver<S>, verdict: Verdict) -> Option<End> {
        let before = std::mem::replace(&mut self.held_bytes, self.inbox.bytes());
        driver.held_bytes = driver.held_bytes + self.held_bytes - before;
        match verdict {
            Verdict::Continue { .. } => {
                let limit = driver.settings.read_buffers_bytes_max;
                let grows = self.held_bytes > before && driver.held_bytes > limit;
                grows.then(|| End::refused(overloaded(limit)))
            }
            Verdict::Pause => {
                self.phase = Phase::Paused;
                None
            }
            Verdict::End(ending) => Some(End::Refused(ending)),
        }
    }

    /// Takes the session out of the engine and appends the last frame.
    fn close(&mut self, driver: &mut Driver<S>, end: End) {
        self.inbox.take();
        driver.held_bytes -= std::mem::take(&mut self.held_bytes);
        driver.close(self.id);
        driver.delivery.close_batch();
        if let Some(peer) = driver.delivery.peer_mut(self.id)
            && !matches!(peer.state, State::Broken)
        {
            peer.state = State::Closing;
            let greeted = peer.dialect;
            match end {
                End::Left => tracing::debug!(session = %self.id, "left"),
                End::Refused(ending) => self.say_goodbye(driver, greeted, ending),
            }
        }
        let pending = driver.delivery.peer_mut(self.id).map_or(0, |peer| peer.pending());
        let linger = Box::pin(tokio::time::sleep(LINGER));
        self.phase = Phase::Closing(Box::new(Closing { linger, pending }));
    }

    fn say_goodbye(&self, driver: &mut Driver<S>, greeted: Option<S::Dialect>, ending: Ending) {
        let Ending { refusal, last_words } = ending;
        let (session, reason, text) = (self.id, refusal.reason, &refusal.text);
        let stopping = reason == Reason::ShuttingDown;
        if stopping || greeted.is_none() {
            tracing::debug!(%session, %reason, %text, "closing");
        } else {
            tracing::info!(%session, %reason, %text, "closing");
        }
        if stopping && greeted.is_none() && last_words.is_none() {
            // It has not said yet which dialect it would understand.
            return;
        }
        let reconnect = stopping.then(|| driver.settings.reconnect_after_ms());
        driver.delivery.send_raw(session, |out| match (last_words, greeted) {
            (Some(mut words), _) => out.append(&mut words),
            (None, Some(dialect)) => dialect.goodbye(refusal, reconnect, out),
            (None, None) => Dialect::<S::Engine>::goodbye(Native, refusal, reconnect, out),
        });
    }

    /// Ready when everything is sent and the peer has hung up, or when it takes too long.
    ///
    /// A socket that is closed with unread input resets the connection, and the last frame might
    /// never be read: so the input is read to its end and thrown away.
    fn poll_closed(&mut self, driver: &mut Driver<S>, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::Closing(closing) = &mut self.phase else { return Poll::Ready(()) };
        let Some(peer) = driver.delivery.peer_mut(self.id) else { return Poll::Ready(()) };
        keep_waker(&mut peer.waker, cx);
        let sent = driver.delivery.poll_sent(self.id, cx);
        let Some(peer) = driver.delivery.peer_mut(self.id) else { return Poll::Ready(()) };
        if matches!(peer.state, State::Broken) {
            return Poll::Ready(());
        }
        let pending = peer.pending();
        if sent.is_ready() {
            peer.writer = None;
        }
        if pending != std::mem::replace(&mut closing.pending, pending) {
            closing.linger.as_mut().reset(Instant::now() + LINGER);
        }
        if closing.linger.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        ready!(sent);
        loop {
            let mut buffer = ReadBuf::new(&mut driver.scratch);
            match ready!(Pin::new(&mut self.reader).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

fn missing(verdict: &Verdict) -> usize {
    match verdict {
        Verdict::Continue { missing } => *missing,
        Verdict::Pause | Verdict::End(_) => 1,
    }
}

fn overloaded(limit: usize) -> Refusal {
    let text = format!("all connections together hold {limit} bytes of unfinished frames");
    Refusal::new(Reason::Overloaded, text)
}

impl<S: Service> Future for Session<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let shared = Rc::clone(&this.shared);
        this.step(&mut shared.borrow_mut(), cx)
    }
}

//! One connection's task: reads, has the driver hear it, and sees the connection to its end.

use crate::driver::{Driver, Shared, Verdict};
use crate::inbox::{Arrival, Inbox};
use crate::native;
use crate::peer::State;
use crate::service::{Dialect, Service};
use crate::stream::Reader;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Sleep;
use workyard_engine::SessionId;
use workyard_protocol::{Reason, Refusal};

/// How long a connection may take to read its last frames and to hang up.
const LINGER: Duration = Duration::from_secs(1);

pub(crate) struct Session<S: Service> {
    shared: Shared<S>,
    id: SessionId,
    reader: Reader,
    inbox: Inbox,
    phase: Phase,
}

enum Phase {
    Serving,
    /// The rest of the input waits until the peer has read some answers.
    Paused,
    Closing(Pin<Box<Sleep>>),
}

/// Why a session ends.
enum End {
    /// The peer hung up, properly or not.
    Left,
    /// We do not want it any longer.
    Refused(Refusal),
}

impl<S: Service> Session<S> {
    pub(crate) fn new(shared: Shared<S>, id: SessionId, reader: Reader) -> Self {
        Self { shared, id, reader, inbox: Inbox::default(), phase: Phase::Serving }
    }

    fn step(&mut self, driver: &mut Driver<S>, cx: &mut Context<'_>) -> Poll<()> {
        if !matches!(self.phase, Phase::Closing(_)) {
            let end = ready!(self.serve(driver, cx));
            self.close(driver, end);
        }
        ready!(self.poll_closed(driver, cx));
        driver.delivery.remove(self.id);
        Poll::Ready(())
    }

    /// Ready when the connection is to end.
    fn serve(&mut self, driver: &mut Driver<S>, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let Some(peer) = driver.delivery.peer_mut(self.id) else {
                return Poll::Ready(End::Left);
            };
            match &peer.state {
                State::Open => {}
                State::Doomed(refusal) => return Poll::Ready(End::Refused((**refusal).clone())),
                State::Broken | State::Closing => return Poll::Ready(End::Left),
            }
            if !peer.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                peer.waker = Some(cx.waker().clone());
            }
            if peer.blocked && driver.delivery.poll_unblock(self.id, cx).is_ready() {
                driver.schedule_turn();
                continue;
            }
            if driver.delivery.must_pause(self.id) {
                return Poll::Pending;
            }
            if matches!(self.phase, Phase::Paused) {
                self.phase = Phase::Serving;
                let held = self.inbox.take();
                if let Some(end) = self.hear_held(driver, held) {
                    return Poll::Ready(end);
                }
                continue;
            }
            if let Some(end) = ready!(self.poll_arrival(driver, cx)) {
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
                return Poll::Ready(Some(End::Refused(refusal)));
            }
            outcome => ready!(outcome),
        };
        match arrival {
            Err(_) | Ok(Arrival::End) => Poll::Ready(Some(End::Left)),
            Ok(Arrival::Held) => {
                let held = self.inbox.take();
                Poll::Ready(self.hear_held(driver, held))
            }
            Ok(Arrival::Shared { length, more }) => {
                let scratch = std::mem::take(&mut driver.scratch);
                let outcome = driver.hear(self.id, &scratch[..length]);
                self.inbox.keep(&scratch[outcome.used..length]);
                driver.scratch = scratch;
                if let Some(end) = self.judge(driver, outcome.verdict) {
                    return Poll::Ready(Some(end));
                }
                if more {
                    // Others get their turn before this one goes on.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(None)
            }
        }
    }

    fn hear_held(&mut self, driver: &mut Driver<S>, held: Vec<u8>) -> Option<End> {
        let outcome = driver.hear(self.id, &held);
        self.inbox.put_back(held, outcome.used);
        self.judge(driver, outcome.verdict)
    }

    fn judge(&mut self, driver: &mut Driver<S>, verdict: Verdict) -> Option<End> {
        match verdict {
            Verdict::Continue => None,
            Verdict::Pause => {
                self.phase = Phase::Paused;
                driver.delivery.await_room(self.id);
                None
            }
            Verdict::End(refusal) => Some(End::Refused(refusal)),
        }
    }

    /// Takes the session out of the engine and appends the last frame.
    fn close(&mut self, driver: &mut Driver<S>, end: End) {
        self.phase = Phase::Closing(Box::pin(tokio::time::sleep(LINGER)));
        self.inbox.take();
        let settings = &driver.settings;
        let reconnect =
            matches!(&end, End::Refused(refusal) if refusal.reason == Reason::ShuttingDown)
                .then(|| settings.reconnect_after_ms());
        if let End::Refused(refusal) = &end {
            tracing::info!(session = %self.id, reason = %refusal.reason, text = %refusal.text, "closing");
        } else {
            tracing::debug!(session = %self.id, "left");
        }
        driver.close(self.id);
        driver.delivery.close_batch();
        let Some(peer) = driver.delivery.peer_mut(self.id) else {
            return;
        };
        if matches!(peer.state, State::Broken) {
            return;
        }
        peer.state = State::Closing;
        let dialect = peer.dialect;
        if let End::Refused(refusal) = end {
            driver.delivery.send_raw(self.id, |out| match dialect {
                Some(dialect) => dialect.goodbye(refusal, reconnect, out),
                None => native::goodbye::<S::Engine>(refusal, reconnect, out),
            });
        }
    }

    /// Ready when everything is sent and the peer has hung up, or when it takes too long.
    ///
    /// A socket that is closed with unread input resets the connection, and the last frame might
    /// never be read: so the input is read to its end and thrown away.
    fn poll_closed(&mut self, driver: &mut Driver<S>, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::Closing(linger) = &mut self.phase else {
            return Poll::Ready(());
        };
        if linger.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(peer) = driver.delivery.peer_mut(self.id) else {
            return Poll::Ready(());
        };
        if matches!(peer.state, State::Broken) {
            return Poll::Ready(());
        }
        peer.waker = Some(cx.waker().clone());
        ready!(driver.delivery.poll_sent(self.id, cx));
        if let Some(peer) = driver.delivery.peer_mut(self.id) {
            peer.writer = None;
        }
        loop {
            let mut buffer = ReadBuf::new(&mut driver.scratch);
            match ready!(Pin::new(&mut self.reader).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl<S: Service> Future for Session<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let shared = Rc::clone(&this.shared);
        this.step(&mut shared.borrow_mut(), cx)
    }
}

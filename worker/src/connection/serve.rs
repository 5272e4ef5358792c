//! The task of a connection: reads, calls back, writes, and ends it in order.

use super::{Connection, ConnectionError, ConnectionState, Ends, Notice};
use crate::activity::Callback;
use crate::outcome::{Failure, Running};
use crate::scheme::{Incoming, Scheme, Wire, WireError};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Messages that are handled before others have their turn.
const MESSAGES_AT_ONCE: usize = 64;

/// How long a peer may take to read anything of the last that is sent.
const FLUSH: Duration = Duration::from_secs(30);

/// How long a peer may take to end its side, after ours has.
const LINGER: Duration = Duration::from_secs(1);

/// Serves one connection to its end.
pub(crate) struct Serve<S: Scheme, D: 'static> {
    connection: Connection<S, D>,
    phase: Phase,
    /// The callback that this connection's messages wait for.
    running: Option<(Running, Callback)>,
    /// One that they do not wait for, and whether it is `on_error`.
    aside: Option<(Running, bool)>,
    /// The wire knows that nothing more is sent.
    has_ended: bool,
    is_datagram: bool,
}

/// What connects, and then knows who is at the ends.
type Connecting = Pin<Box<dyn Future<Output = Result<Ends, ConnectionError>>>>;

enum Phase {
    Connecting(Connecting),
    Serving,
    /// Nothing is taken any more; what is queued is written. What was written when this began to wait.
    Flushing(Pin<Box<Sleep>>, u64),
    Lingering(Pin<Box<Sleep>>),
    /// It is over; who is to hear why does so.
    Telling,
    /// `on_close`.
    Leaving(Running),
    Left,
}

impl<S: Scheme, D: 'static> Serve<S, D> {
    pub(crate) fn new(connection: Connection<S, D>) -> Self {
        let connect = connection.worker().handlers().connect(&connection);
        let running = connect.map(|running| (running, Callback::Connect));
        let mut serve = Self::of(connection, Phase::Serving);
        serve.running = running;
        serve
    }

    /// Serves one that is to be connected first.
    pub(crate) fn connecting(
        connection: Connection<S, D>,
        connecting: impl Future<Output = Result<Ends, ConnectionError>> + 'static,
    ) -> Self {
        connection.0.state.set(ConnectionState::Connecting);
        Self::of(connection, Phase::Connecting(Box::pin(connecting)))
    }

    /// Serves one datagram: all messages of it, and nothing else.
    pub(crate) fn datagram(connection: Connection<S, D>) -> Self {
        connection.worker().datagrams_more();
        let mut serve = Self::of(connection, Phase::Serving);
        serve.is_datagram = true;
        serve
    }

    fn of(connection: Connection<S, D>, phase: Phase) -> Self {
        let (running, aside) = (None, None);
        Self { connection, phase, running, aside, has_ended: false, is_datagram: false }
    }

    fn state(&self) -> ConnectionState {
        self.connection.state()
    }

    /// Runs callbacks until there is nothing to do. `Ready` when the connection takes no more.
    fn poll_serving(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..MESSAGES_AT_ONCE {
            let ran = self.poll_running(context);
            let shared = &self.connection.0;
            shared.is_busy.set(ran.is_pending());
            ready!(ran);
            if shared.is_closing_soon.get() {
                self.connection.close();
            }
            if self.state() != ConnectionState::Established {
                return Poll::Ready(());
            }
            if shared.is_finishing.get() && shared.wire.borrow_mut().finish() {
                return Poll::Ready(());
            }
            if shared.is_paused.get() {
                return Poll::Pending;
            }
            let incoming = shared.wire.borrow_mut().poll_incoming(context);
            match ready!(incoming) {
                Ok(Some(incoming)) => self.begin(incoming),
                Ok(None) => return Poll::Ready(()),
                Err(error) => {
                    self.lost(error);
                    return Poll::Ready(());
                }
            }
        }
        yield_to_others(context);
        Poll::Pending
    }

    fn begin(&mut self, incoming: Incoming<S>) {
        let connection = &self.connection;
        let handlers = connection.worker().handlers();
        self.running = match incoming {
            Incoming::Message(message) => {
                connection.0.last_message.set(connection.worker().count_message());
                if let Some(partner) = &*connection.0.partner.borrow() {
                    if partner.give(message) {
                        connection.pause();
                    }
                    return;
                }
                let running = handlers.message(connection, message);
                running.map(|running| (running, Callback::Message))
            }
            Incoming::Opening(opening) => {
                let running = handlers.opening(connection, opening);
                if running.is_none() {
                    connection.0.wire.borrow_mut().proceed(true);
                }
                running.map(|running| (running, Callback::Opening))
            }
        };
    }

    /// Lets the callback go on that messages wait for.
    fn poll_running(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((running, callback)) = &mut self.running else { return Poll::Ready(()) };
        let callback = *callback;
        let shared = &self.connection.0;
        shared.is_corked.set(shared.ends.get().transport != "udp");
        let done = Pin::new(running).poll(context);
        shared.is_corked.set(false);
        let done = ready!(done);
        self.running = None;
        if callback == Callback::Opening {
            self.connection.0.wire.borrow_mut().proceed(done.is_ok());
        }
        if let Err(failure) = done {
            self.failed(callback.name(), &failure);
        }
        Poll::Ready(())
    }

    /// Lets the callbacks go on that messages do not wait for.
    fn poll_aside(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..MESSAGES_AT_ONCE {
            if let Some((running, is_error)) = &mut self.aside {
                self.connection.0.is_telling_error.set(*is_error);
                let done = Pin::new(running).poll(context);
                self.connection.0.is_telling_error.set(false);
                let done = ready!(done);
                self.aside = None;
                if let Err(failure) = done {
                    self.failed("on_buffer_full, on_buffer_drain or on_error", &failure);
                }
            }
            let notice = self.connection.0.notices.borrow_mut().pop_front();
            let Some(notice) = notice else { return Poll::Ready(()) };
            let connection = &self.connection.0;
            if let (Notice::BufferDrain, false) = (&notice, connection.is_full.get())
                && let Some(partner) = &*connection.partner.borrow()
            {
                partner.resume();
            }
            let handlers = self.connection.worker().handlers();
            let is_error = matches!(notice, Notice::Error(_));
            let running = match notice {
                Notice::BufferFull => handlers.buffer_full(&self.connection),
                Notice::BufferDrain => handlers.buffer_drain(&self.connection),
                Notice::Error(error) => handlers.error(&self.connection, error),
            };
            self.aside = running.map(|running| (running, is_error));
        }
        yield_to_others(context);
        Poll::Pending
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let flushed = self.connection.0.wire.borrow_mut().poll_flush(context);
        if flushed.is_pending() || self.connection.0.is_full.get() {
            self.connection.note_fullness();
        }
        if let Err(error) = ready!(flushed) {
            self.lost(error.into());
        }
        Poll::Ready(())
    }

    /// A callback has failed: by default that costs its connection, and only that.
    fn failed(&self, callback: &str, failure: &Failure) {
        let connection = &self.connection;
        tracing::error!(?connection, callback, "callback failed: {failure}");
        if self.state() == ConnectionState::Established {
            connection.0.wire.borrow_mut().failed();
        }
        connection.close();
        connection.worker().callback_failed(callback, failure);
    }

    fn lost(&self, error: WireError) {
        let connection = &self.connection;
        // What was sent before, or says what is wrong, still reaches the peer.
        let (is_lost, state) = match &error {
            WireError::Io(_) => (true, ConnectionState::Closed),
            WireError::Protocol(_) | WireError::TooLong { .. } => (false, ConnectionState::Closing),
        };
        if is_lost {
            tracing::debug!(?connection, %error, "connection lost");
        } else {
            tracing::warn!(?connection, %error, "connection refused");
        }
        connection.notice(Notice::Error(ConnectionError::Lost(error)));
        connection.0.state.set(state);
    }

    /// Goes on from one phase to the next, as far as that is possible now.
    fn poll_phases(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.phase {
                Phase::Connecting(connecting) => {
                    if self.connection.state() != ConnectionState::Connecting {
                        self.phase = self.over();
                        continue;
                    }
                    let connected = ready!(connecting.as_mut().poll(context));
                    self.phase = self.connected(connected);
                }
                Phase::Serving => {
                    let served = self.poll_serving(context);
                    let _ = self.poll_aside(context);
                    if self.state() == ConnectionState::Closing {
                        self.end();
                    }
                    if served.is_pending() && self.state() != ConnectionState::Closed {
                        // What cannot be written now is, when this task is woken for it.
                        let _ = self.poll_flush(context);
                        if self.state() != ConnectionState::Closed {
                            return Poll::Pending;
                        }
                    }
                    self.connection.close();
                    self.end();
                    let written = self.connection.traffic().written;
                    self.phase = Phase::Flushing(Box::pin(tokio::time::sleep(FLUSH)), written);
                }
                Phase::Flushing(sleep, before) => {
                    if sleep.as_mut().poll(context).is_ready() {
                        let written = self.connection.traffic().written;
                        if written == std::mem::replace(before, written) {
                            self.connection.destroy();
                        }
                        sleep.as_mut().reset(Instant::now() + FLUSH);
                        continue;
                    }
                    self.phase = ready!(self.poll_ending(context));
                }
                Phase::Lingering(sleep) => {
                    let is_over = sleep.as_mut().poll(context).is_ready();
                    let closed = self.state() == ConnectionState::Closed;
                    let discarded = self.connection.0.wire.borrow_mut().poll_discard(context);
                    if !is_over && !closed {
                        let _ = ready!(discarded);
                    }
                    self.phase = self.over();
                }
                Phase::Telling => {
                    ready!(self.poll_aside(context));
                    self.phase = self.leave();
                }
                Phase::Leaving(running) => {
                    let done = ready!(Pin::new(running).poll(context));
                    if let Err(failure) = done {
                        self.failed("on_close", &failure);
                    }
                    self.phase = Phase::Left;
                }
                Phase::Left => return Poll::Ready(()),
            }
        }
    }

    /// Nothing is sent after `close`, even if a callback goes on.
    fn end(&mut self) {
        if !std::mem::replace(&mut self.has_ended, true) {
            self.connection.0.wire.borrow_mut().end();
        }
    }

    /// Writes what is left, says that this was all, and finds what comes then.
    fn poll_ending(&mut self, context: &mut Context<'_>) -> Poll<Phase> {
        if self.state() != ConnectionState::Closed {
            ready!(self.poll_flush(context));
        }
        if self.state() == ConnectionState::Closed {
            return Poll::Ready(self.over());
        }
        let shutdown = ready!(self.connection.0.wire.borrow_mut().poll_shutdown(context));
        Poll::Ready(match shutdown {
            Ok(()) => Phase::Lingering(Box::pin(tokio::time::sleep(LINGER))),
            Err(_) => self.over(),
        })
    }

    fn connected(&mut self, connected: Result<Ends, ConnectionError>) -> Phase {
        let connection = &self.connection;
        match connected {
            Ok(ends) => {
                connection.0.ends.set(ends);
                connection.0.state.set(ConnectionState::Established);
                let connect = connection.worker().handlers().connect(connection);
                self.running = connect.map(|running| (running, Callback::Connect));
                Phase::Serving
            }
            Err(error) => {
                connection.notice(Notice::Error(error));
                self.over()
            }
        }
    }

    fn over(&mut self) -> Phase {
        self.connection.0.state.set(ConnectionState::Closed);
        // What they hold, `on_close` may want.
        self.running = None;
        self.aside = None;
        self.connection.0.wire.borrow_mut().disconnect();
        let partner = self.connection.0.partner.take();
        if let Some(partner) = partner {
            partner.close();
        }
        Phase::Telling
    }

    fn leave(&self) -> Phase {
        if self.connection.0.ends.get().transport == "udp" {
            return Phase::Left;
        }
        match self.connection.worker().handlers().close(&self.connection) {
            Some(running) => Phase::Leaving(running),
            None => Phase::Left,
        }
    }
}

impl<S: Scheme, D: 'static> Future for Serve<S, D> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.connection.0.waker.borrow_mut().clone_from(context.waker());
        self.poll_phases(context)
    }
}

// Nothing in it is pinned in place; what is pinned is in boxes.
impl<S: Scheme, D: 'static> Unpin for Serve<S, D> {}

/// Goes on after what else this thread has to do, its sockets and timers among it.
fn yield_to_others(context: &mut Context<'_>) {
    let _ = pin!(tokio::task::yield_now()).poll(context);
}

impl<S: Scheme, D: 'static> Drop for Serve<S, D> {
    fn drop(&mut self) {
        let process = self.connection.worker();
        match self.is_datagram {
            true => process.datagrams_less(),
            false => process.forget(self.connection.id()),
        }
    }
}

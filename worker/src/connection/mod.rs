//! A connection as callbacks see it.

mod client_ip;
mod names;
mod pipe;
mod sent;
mod serve;
mod websocket;

pub use pipe::Pipe;
pub use sent::{ConnectionError, ConnectionState, Refused, Sent};
pub(crate) use serve::Serve;

use crate::orders::ConnectionStatus;
use crate::scheme::{Scheme, Traffic, Wire};
use crate::worker::WorkerProcess;
use pipe::Partner;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

/// One connection of a worker. Clones are the same connection; it belongs to the thread of its process.
///
/// `D` is what the program keeps for each connection: [`Connection::data`].
pub struct Connection<S: Scheme, D = ()>(Rc<Shared<S, D>>);

/// Who is at the two ends, and by what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) transport: &'static str,
    /// None for a socket of the file system.
    pub(crate) local: Option<SocketAddr>,
    pub(crate) remote: Option<SocketAddr>,
}

struct Shared<S: Scheme, D> {
    id: u64,
    ends: Cell<Ends>,
    process: WorkerProcess<S, D>,
    wire: RefCell<S::Wire>,
    data: RefCell<D>,
    state: Cell<ConnectionState>,
    is_paused: Cell<bool>,
    /// What is sent now is written together, a little later.
    is_corked: Cell<bool>,
    /// The process is to leave: what is under way is done, and nothing new begun.
    is_finishing: Cell<bool>,
    /// A callback that messages wait for is under way.
    is_busy: Cell<bool>,
    /// It ends as soon as none is.
    is_closing_soon: Cell<bool>,
    /// `on_error` is under way.
    is_telling_error: Cell<bool>,
    /// The peer has shown who it is.
    is_authenticated: Cell<bool>,
    /// `on_buffer_full` was called, and `on_buffer_drain` not yet.
    is_full: Cell<bool>,
    send_buffer_bytes_max: Cell<usize>,
    last_message: Cell<Instant>,
    notices: RefCell<VecDeque<Notice>>,
    /// Where messages go instead of to `on_message`.
    partner: RefCell<Option<Box<dyn Partner<S::Message>>>>,
    /// Wakes the task that serves this connection.
    waker: RefCell<Waker>,
}

/// How connections are to end when their process is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// When nothing is under way any more.
    Finish,
    /// When their protocols see fit.
    WindDown,
}

/// Something that a callback is to hear of.
#[derive(Debug)]
enum Notice {
    BufferFull,
    BufferDrain,
    Error(ConnectionError),
}

/// Beyond this, a connection whose callbacks hang hears of no further troubles.
const NOTICES_MAX: usize = 64;

impl<S: Scheme, D: 'static> Connection<S, D> {
    pub(crate) fn new(
        id: u64,
        ends: Ends,
        process: WorkerProcess<S, D>,
        wire: S::Wire,
        data: D,
    ) -> Self {
        let send_buffer_bytes_max = process.options().send_buffer_bytes_max;
        Self(Rc::new(Shared {
            id,
            ends: Cell::new(ends),
            process,
            wire: RefCell::new(wire),
            data: RefCell::new(data),
            state: Cell::new(ConnectionState::Established),
            is_paused: Cell::new(false),
            is_corked: Cell::new(false),
            is_finishing: Cell::new(false),
            is_busy: Cell::new(false),
            is_closing_soon: Cell::new(false),
            is_telling_error: Cell::new(false),
            is_authenticated: Cell::new(false),
            is_full: Cell::new(false),
            send_buffer_bytes_max: Cell::new(send_buffer_bytes_max),
            last_message: Cell::new(Instant::now()),
            notices: RefCell::default(),
            partner: RefCell::default(),
            waker: RefCell::new(Waker::noop().clone()),
        }))
    }

    /// Its number in this process; no other connection of the process has it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The peer's address; none on a socket of the file system.
    #[must_use]
    pub fn remote(&self) -> Option<SocketAddr> {
        self.0.ends.get().remote
    }

    /// The peer's IP address.
    #[must_use]
    pub fn remote_ip(&self) -> Option<IpAddr> {
        self.remote().map(|address| address.ip().to_canonical())
    }

    /// The address on this side.
    #[must_use]
    pub fn local(&self) -> Option<SocketAddr> {
        self.0.ends.get().local
    }

    /// The worker process that serves it.
    #[must_use]
    pub fn worker(&self) -> &WorkerProcess<S, D> {
        &self.0.process
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.0.state.get()
    }

    /// What the program keeps for this connection.
    ///
    /// # Panics
    /// While [`Connection::data_mut`] is held: hold neither across an `await`.
    #[must_use]
    pub fn data(&self) -> Ref<'_, D> {
        self.0.data.borrow()
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// While [`Connection::data`] or this is held: hold neither across an `await`.
    #[must_use]
    pub fn data_mut(&self) -> RefMut<'_, D> {
        self.0.data.borrow_mut()
    }

    /// When the last message came, or the connection if none did.
    #[must_use]
    pub fn last_message(&self) -> Instant {
        self.0.last_message.get()
    }

    /// Bytes received and sent, and those that wait.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.0.wire.borrow().traffic()
    }

    /// Changes how many bytes may wait to be sent before [`Refused::Full`].
    pub fn set_send_buffer_bytes_max(&self, bytes_max: usize) {
        self.0.send_buffer_bytes_max.set(bytes_max);
    }

    /// Sends a message. Nothing is ever half sent: it is taken whole or refused.
    ///
    /// What a callback sends on its own connection is written together when the callback returns or waits; what is
    /// sent otherwise is written at once, as far as the peer reads.
    pub fn send(&self, reply: impl Into<S::Reply>) -> Sent {
        self.send_or_refuse(reply.into(), self.0.send_buffer_bytes_max.get())
    }

    fn send_or_refuse(&self, reply: S::Reply, bytes_max: usize) -> Sent {
        match self.try_send(reply, bytes_max) {
            Ok(sent) => sent,
            Err(refused) => {
                self.0.process.count_send_fail();
                // That it has ended is told otherwise; and one that answers to an error must not make the next.
                if refused != Refused::Closed && !self.0.is_telling_error.get() {
                    self.notice(Notice::Error(ConnectionError::Send(refused.clone())));
                }
                Sent::Refused(refused)
            }
        }
    }

    fn try_send(&self, reply: S::Reply, bytes_max: usize) -> Result<Sent, Refused> {
        if !matches!(self.state(), ConnectionState::Established | ConnectionState::Connecting) {
            return Err(Refused::Closed);
        }
        let mut wire = self.0.wire.borrow_mut();
        let mut waiting = wire.traffic().send_queue;
        if self.0.is_corked.get() && waiting > 0 && waiting >= bytes_max {
            // What was put off is tried now; an error comes again when the task writes.
            let _ = wire.poll_flush(&mut Context::from_waker(Waker::noop()));
            waiting = wire.traffic().send_queue;
        }
        if waiting > 0 && waiting >= bytes_max {
            drop(wire);
            self.note_fullness();
            self.wake();
            return Err(Refused::Full(waiting));
        }
        wire.queue(reply)?;
        if self.0.is_corked.get() {
            return Ok(Sent::Queued);
        }
        // Nobody is woken for this; if it is not enough, the task tries again and waits.
        match wire.poll_flush(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Ok(Sent::Written),
            Poll::Ready(Err(error)) => {
                drop(wire);
                if self.0.ends.get().transport != "udp" {
                    self.notice(Notice::Error(ConnectionError::Lost(error.into())));
                    self.destroy();
                }
                Err(Refused::Closed)
            }
            Poll::Pending => {
                drop(wire);
                self.note_fullness();
                self.wake();
                Ok(Sent::Queued)
            }
        }
    }

    /// Sends what is queued, and ends. Messages that arrive meanwhile are not handled.
    pub fn close(&self) {
        match self.state() {
            ConnectionState::Established => {
                self.0.state.set(ConnectionState::Closing);
                self.wake();
            }
            ConnectionState::Connecting => self.destroy(),
            ConnectionState::Closing | ConnectionState::Closed => {}
        }
    }

    /// Sends one more message, however much waits already, and ends.
    pub fn close_with(&self, reply: impl Into<S::Reply>) -> Sent {
        let sent = self.send_or_refuse(reply.into(), usize::MAX);
        self.close();
        sent
    }

    /// Ends at once; what is queued is lost, and a callback of it that waits does not go on.
    pub fn destroy(&self) {
        self.0.state.set(ConnectionState::Closed);
        self.wake();
    }

    /// Reads no more until [`Connection::resume`]: the peer has to wait.
    pub fn pause(&self) {
        self.0.is_paused.set(true);
    }

    /// Reads again.
    pub fn resume(&self) {
        if self.0.is_paused.replace(false) {
            self.wake();
        }
    }

    pub(crate) fn is_authenticated(&self) -> bool {
        self.0.is_authenticated.get()
    }

    /// Ends when no callback is under way any more, which may still answer.
    pub(crate) fn close_soon(&self) {
        self.0.is_closing_soon.set(true);
        if !self.0.is_busy.get() {
            self.close();
        }
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.0.is_finishing.set(ending == Ending::Finish);
        self.0.wire.borrow_mut().wind_down();
        self.wake();
    }

    pub(crate) fn status(&self) -> ConnectionStatus {
        let traffic = self.traffic();
        let text =
            |address: Option<SocketAddr>| address.map_or_else(String::new, |it| it.to_string());
        ConnectionStatus {
            id: self.id(),
            transport: self.0.ends.get().transport.to_owned(),
            protocol: S::NAME.to_owned(),
            receive_queue: traffic.receive_queue as u64,
            send_queue: traffic.send_queue as u64,
            bytes_read: traffic.read,
            bytes_written: traffic.written,
            state: self.state().to_string(),
            local: text(self.0.ends.get().local),
            remote: text(self.0.ends.get().remote),
        }
    }

    fn wake(&self) {
        self.0.waker.borrow().wake_by_ref();
    }

    fn notice(&self, notice: Notice) {
        let mut notices = self.0.notices.borrow_mut();
        if notices.len() < NOTICES_MAX {
            notices.push_back(notice);
            drop(notices);
            self.wake();
        }
    }

    /// More waits to be sent than shall, or nothing any more.
    fn note_fullness(&self) {
        let waiting = self.traffic().send_queue;
        if waiting >= self.0.send_buffer_bytes_max.get() {
            if !self.0.is_full.replace(true) {
                self.notice(Notice::BufferFull);
            }
        } else if waiting == 0 && self.0.is_full.replace(false) {
            self.notice(Notice::BufferDrain);
        }
    }
}

impl<S: Scheme, D> Clone for Connection<S, D> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<S: Scheme, D> PartialEq for Connection<S, D> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<S: Scheme, D> Eq for Connection<S, D> {}

impl<S: Scheme, D> fmt::Debug for Connection<S, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { id, ends, state, .. } = &*self.0;
        write!(formatter, "{} connection {id} ({}", S::NAME, state.get())?;
        if let Some(remote) = ends.get().remote {
            write!(formatter, ", {remote}")?;
        }
        formatter.write_str(")")
    }
}

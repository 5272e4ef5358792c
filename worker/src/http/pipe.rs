//! The bytes of a response that come piece by piece, on their way from a callback to the wire.

use bytes::Bytes;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use thiserror::Error;
use tokio::sync::Notify;

/// How much may wait before who sends has to.
const WAITING_BYTES_MAX: usize = 256 * 1024;

/// Why a piece of a response is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StreamError {
    /// The peer has gone, or the connection ends, or the response was never sent.
    #[error("nobody reads this response any more")]
    Gone,
    /// The peer does not read as fast; so many bytes wait.
    #[error("the peer does not read: {0} bytes wait to be sent")]
    Full(usize),
}

struct Pipe {
    waiting: RefCell<VecDeque<Bytes>>,
    bytes: Cell<usize>,
    end: Cell<End>,
    is_gone: Cell<bool>,
    reader: RefCell<Waker>,
    /// There is room, or nobody reads any more.
    changed: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NotYet,
    Whole,
    /// Who sent has given up.
    Cut,
}

/// The end that bytes go in.
pub(super) struct Inlet(Rc<Pipe>);

/// The end that they come out.
pub(crate) struct Outlet(Rc<Pipe>);

pub(super) fn pipe() -> (Inlet, Outlet) {
    let pipe = Rc::new(Pipe {
        waiting: RefCell::default(),
        bytes: Cell::new(0),
        end: Cell::new(End::NotYet),
        is_gone: Cell::new(false),
        reader: RefCell::new(Waker::noop().clone()),
        changed: Notify::new(),
    });
    (Inlet(Rc::clone(&pipe)), Outlet(pipe))
}

impl Inlet {
    pub(super) fn try_send(&self, bytes: Bytes) -> Result<(), StreamError> {
        let waiting = self.0.bytes.get();
        if self.is_gone() {
            return Err(StreamError::Gone);
        }
        if waiting >= WAITING_BYTES_MAX {
            return Err(StreamError::Full(waiting));
        }
        if !bytes.is_empty() {
            self.0.bytes.set(waiting + bytes.len());
            self.0.waiting.borrow_mut().push_back(bytes);
            self.0.reader.borrow().wake_by_ref();
        }
        Ok(())
    }

    pub(super) async fn send(&self, bytes: Bytes) -> Result<(), StreamError> {
        loop {
            match self.try_send(bytes.clone()) {
                Err(StreamError::Full(_)) => self.0.changed.notified().await,
                other => return other,
            }
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.0.is_gone.get()
    }

    pub(super) async fn gone(&self) {
        while !self.is_gone() {
            self.0.changed.notified().await;
        }
    }

    /// Says that this was all.
    pub(super) fn finish(&self) {
        if self.0.end.get() == End::NotYet {
            self.0.end.set(End::Whole);
        }
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        if self.0.end.get() == End::NotYet {
            self.0.end.set(End::Cut);
        }
        self.0.reader.borrow().wake_by_ref();
    }
}

impl Outlet {
    /// The next piece; `Ready(Ok(None))` after the last, `Ready(Err(()))` if it will never be whole.
    pub(crate) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Result<Option<Bytes>, ()>> {
        let next = self.0.waiting.borrow_mut().pop_front();
        if let Some(bytes) = next {
            self.0.bytes.set(self.0.bytes.get() - bytes.len());
            self.0.changed.notify_waiters();
            return Poll::Ready(Ok(Some(bytes)));
        }
        match self.0.end.get() {
            End::Whole => Poll::Ready(Ok(None)),
            End::Cut => Poll::Ready(Err(())),
            End::NotYet => {
                self.0.reader.borrow_mut().clone_from(context.waker());
                Poll::Pending
            }
        }
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.0.bytes.get()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.0.is_gone.set(true);
        self.0.waiting.borrow_mut().clear();
        self.0.changed.notify_waiters();
    }
}

impl fmt::Debug for Inlet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes wait", self.0.bytes.get())
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes wait", self.len())
    }
}

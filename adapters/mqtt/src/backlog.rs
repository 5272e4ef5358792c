//! What waits to be published, counted: how much of it there may be, and who has given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use workyard_adapter_kit::{Error, ErrorKind};

const WAITING: u8 = 0;
const SENT: u8 = 1;
const GIVEN_UP: u8 = 2;

/// The messages that were given to the client and are neither sent (QoS 0) nor acknowledged.
#[derive(Debug)]
pub(crate) struct Backlog {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    messages_max: usize,
    bytes_max: usize,
}

impl Backlog {
    pub(crate) fn new(messages_max: usize, bytes_max: usize) -> Self {
        Self { messages: AtomicUsize::new(0), bytes: AtomicUsize::new(0), messages_max, bytes_max }
    }

    /// Room for one more message.
    pub(crate) fn enter(self: &Arc<Self>, bytes: usize) -> Result<Ticket, Error> {
        let messages = self.messages.fetch_add(1, Ordering::AcqRel);
        let before = self.bytes.fetch_add(bytes, Ordering::AcqRel);
        let ticket = Ticket { state: AtomicU8::new(WAITING), bytes, backlog: Arc::clone(self) };
        if messages >= self.messages_max {
            let max = self.messages_max;
            let message =
                format!("{max} messages are not acknowledged yet, as many as queue_max allows");
            return Err(Error::new(ErrorKind::Busy, message));
        }
        if before + bytes > self.bytes_max {
            let max = self.bytes_max;
            let message = format!(
                "{before} bytes are not acknowledged yet, and {bytes} more are above the {max} of \
                 queue_bytes_max"
            );
            return Err(Error::new(ErrorKind::Busy, message));
        }
        Ok(ticket)
    }

    /// How many messages there are.
    pub(crate) fn messages(&self) -> usize {
        self.messages.load(Ordering::Acquire)
    }

    fn leave(&self, bytes: usize) {
        self.messages.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }
}

/// One message of the backlog, known to its caller and to the session.
#[derive(Debug)]
pub(crate) struct Ticket {
    state: AtomicU8,
    bytes: usize,
    backlog: Arc<Backlog>,
}

impl Ticket {
    /// The session is about to send it. Not if its caller has given up.
    pub(crate) fn begin(&self) -> bool {
        self.change(SENT)
    }

    /// The caller gives up: whether it has certainly not been sent, and never will be.
    pub(crate) fn give_up(&self) -> bool {
        let unsent = self.change(GIVEN_UP);
        if unsent {
            self.backlog.leave(self.bytes);
        }
        unsent || self.state.load(Ordering::Acquire) == GIVEN_UP
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.state.load(Ordering::Acquire) == GIVEN_UP
    }

    fn change(&self, to: u8) -> bool {
        self.state.compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_given_up() {
            self.backlog.leave(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_messages_and_so_many_bytes() {
        let backlog = Arc::new(Backlog::new(2, 10));
        let first = backlog.enter(6).unwrap();
        assert_eq!(backlog.enter(5).unwrap_err().kind(), ErrorKind::Busy);
        let second = backlog.enter(4).unwrap();
        assert_eq!(backlog.enter(0).unwrap_err().kind(), ErrorKind::Busy);
        drop(first);
        assert_eq!(backlog.messages(), 1);
        drop(second);
        backlog.enter(10).unwrap();
    }

    #[test]
    fn who_gives_up_frees_the_room_once() {
        let backlog = Arc::new(Backlog::new(1, 10));
        let ticket = backlog.enter(10).unwrap();
        assert!(ticket.give_up());
        assert!(ticket.give_up());
        assert!(!ticket.begin());
        assert_eq!(backlog.messages(), 0);
        drop(ticket);
        assert_eq!(backlog.messages(), 0);
    }

    #[test]
    fn what_is_sent_cannot_be_given_up() {
        let backlog = Arc::new(Backlog::new(1, 10));
        let ticket = backlog.enter(1).unwrap();
        assert!(ticket.begin());
        assert!(!ticket.give_up());
        assert_eq!(backlog.messages(), 1);
    }
}

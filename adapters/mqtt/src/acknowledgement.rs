//! Which arrived messages the broker may forget, and when it is told.

use crate::command::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::mpsc::WeakUnboundedSender;

/// Which message is meant: an identifier is only good for its session, with QoS 1 even only for its
/// connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) id: u16,
    pub(crate) exactly_once: bool,
    pub(crate) connection: u64,
    pub(crate) session: u64,
}

/// One subscription's share in the acknowledgement of a message: it is given once all those that the
/// message went to are done with it. Clones are the same share.
#[derive(Clone, Debug)]
pub(crate) struct Token(Arc<Share>);

#[derive(Debug)]
struct Share {
    given: AtomicBool,
    message: Arc<Whole>,
}

#[derive(Debug)]
struct Whole {
    left: AtomicUsize,
    arrival: Arrival,
    // Weak, so that a message that somebody keeps does not keep the client.
    commands: WeakUnboundedSender<Command>,
}

impl Token {
    /// So many shares of one message.
    pub(crate) fn shares(
        count: usize,
        arrival: Arrival,
        commands: &WeakUnboundedSender<Command>,
    ) -> Vec<Self> {
        let left = AtomicUsize::new(count);
        let message = Arc::new(Whole { left, arrival, commands: commands.clone() });
        let share = || Share { given: AtomicBool::new(false), message: Arc::clone(&message) };
        (0..count).map(|_| Self(Arc::new(share()))).collect()
    }

    /// This one is done with it.
    pub(crate) fn done(&self) {
        let Share { given, message } = &*self.0;
        let is_last = || message.left.fetch_sub(1, Ordering::AcqRel) == 1;
        if given.swap(true, Ordering::AcqRel) || !is_last() {
            return;
        }
        if let Some(commands) = message.commands.upgrade() {
            // Where nobody listens any more, there is nobody to tell.
            let _ = commands.send(Command::Acknowledge(message.arrival));
        }
    }
}

//! What the driver knows of one connection: its sending side, and whether it is still wanted.

use crate::outgoing::Outgoing;
use crate::stream::Writer;
use std::task::{Context, Waker};
use workyard_engine::{Gaps, SessionId, Time};
use workyard_protocol::Refusal;

/// One connection in the driver's table.
pub(crate) struct Peer<D> {
    /// Its slot in the table, and what tells it from earlier users of that slot.
    pub(crate) id: SessionId,
    /// How it speaks, once that is known and greeted.
    pub(crate) dialect: Option<D>,
    /// Gone once everything is sent that will be.
    pub(crate) writer: Option<Writer>,
    /// Nothing while there is nothing to send: an idle connection holds no buffer.
    pub(crate) outgoing: Option<Box<Outgoing>>,
    /// Wakes the session's task.
    pub(crate) waker: Option<Waker>,
    pub(crate) state: State,
    /// When it was accepted, then when it was greeted, then when it was last heard.
    pub(crate) last_heard: Time,
    /// It has said something, before it was greeted.
    pub(crate) has_begun: bool,
    /// What it missed and has not been told yet.
    pub(crate) gaps: Option<Box<Gaps>>,
    /// The open batch that it is a recipient of.
    pub(crate) batch: u64,
    /// It stands in the list of connections to write at the end of the turn.
    pub(crate) dirty: bool,
    /// The socket takes no more until its task hears otherwise.
    pub(crate) blocked: bool,
    /// A socket that took no more has taken some since the last sweep: the peer reads, so it lives.
    pub(crate) reads: bool,
    /// It went over its limit and has not yet come down far enough.
    pub(crate) full: bool,
    /// The engine was told that there is no room, and waits to hear of it.
    pub(crate) awaited: bool,
    /// Its task handles no input until more of the output is sent.
    pub(crate) paused: bool,
    /// It was asked whether it lives.
    pub(crate) pinged: bool,
}

/// Keeps the waker of a task that may have moved.
pub(crate) fn keep_waker(kept: &mut Option<Waker>, cx: &Context<'_>) {
    match kept {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *kept = Some(cx.waker().clone()),
    }
}

/// Whether a connection is still wanted.
pub(crate) enum State {
    /// It is served.
    Open,
    /// The driver wants it gone; its task says goodbye, with the reason.
    Doomed(Box<Refusal>),
    /// Its socket takes nothing any more: what is left to be read is heard, and nothing is sent.
    Broken,
    /// Its task sends what is left and hears nothing more.
    Closing,
}

impl<D> Peer<D> {
    pub(crate) fn new(id: SessionId, writer: Writer, now: Time) -> Self {
        Self {
            id,
            dialect: None,
            writer: Some(writer),
            outgoing: None,
            waker: None,
            state: State::Open,
            last_heard: now,
            has_begun: false,
            gaps: None,
            batch: 0,
            dirty: false,
            blocked: false,
            reads: false,
            full: false,
            awaited: false,
            paused: false,
            pinged: false,
        }
    }

    /// Has it written at the end of the turn, as one of the slots listed.
    pub(crate) fn list(&mut self, slot: usize, dirty: &mut Vec<usize>) {
        if !std::mem::replace(&mut self.dirty, true) {
            dirty.push(slot);
        }
    }

    /// Its socket takes nothing any more.
    pub(crate) fn fail(&mut self) {
        self.state = State::Broken;
        self.outgoing = None;
        self.blocked = false;
        self.wake();
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    pub(crate) fn pending(&self) -> usize {
        self.outgoing.as_ref().map_or(0, |outgoing| outgoing.pending())
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Has its task end it, unless it is ending already.
    pub(crate) fn doom(&mut self, refusal: Refusal) {
        if self.is_open() {
            self.state = State::Doomed(Box::new(refusal));
            self.wake();
        }
    }
}

//! What waits to be taken from a subscription: bounded, in order, with a note of what was dropped.

use super::Event;
use redis::Msg;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a message takes beside its bytes, about.
const MESSAGE_OVERHEAD_BYTES: usize = 128;

/// Events that wait.
pub(super) struct Waiting {
    messages_max: usize,
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: VecDeque<(Event, usize)>,
    bytes: usize,
    /// Messages dropped since the last event that there was room for.
    missed: u64,
    closed: bool,
    waker: Option<Waker>,
}

impl Waiting {
    pub(super) fn new(messages_max: usize, bytes_max: usize) -> Self {
        Self { messages_max, bytes_max, state: Mutex::default() }
    }

    /// Adds a message, or counts it as missed.
    pub(super) fn message(&self, message: Msg) {
        let bytes = message.get_payload_bytes().len()
            + message.get_channel_name().len()
            + MESSAGE_OVERHEAD_BYTES;
        let mut state = self.state();
        let full = state.events.len() >= self.messages_max
            || state.bytes.saturating_add(bytes) > self.bytes_max;
        if full {
            state.missed += 1;
        } else {
            state.note_missed();
            state.push(Event::Message(message), bytes);
        }
        state.wake();
    }

    /// Says that the connection was down for so long. Gaps that meet become one, so that they take no room.
    pub(super) fn gap(&self, down: Duration) {
        let mut state = self.state();
        state.note_missed();
        if let Some((Event::Gap { down: earlier }, _)) = state.events.back_mut() {
            *earlier += down;
        } else {
            state.push(Event::Gap { down }, 0);
        }
        state.wake();
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.wake();
    }

    /// Takes what is next.
    pub(super) fn poll_take(&self, context: &Context<'_>) -> Poll<Option<Event>> {
        let mut state = self.state();
        if state.events.is_empty() {
            state.note_missed();
        }
        if let Some((event, bytes)) = state.events.pop_front() {
            state.bytes -= bytes;
            return Poll::Ready(Some(event));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note_missed(&mut self) {
        if self.missed > 0 {
            let messages = std::mem::take(&mut self.missed);
            self.push(Event::Missed { messages }, 0);
        }
    }

    fn push(&mut self, event: Event, bytes: usize) {
        self.events.push_back((event, bytes));
        self.bytes += bytes;
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::{PushInfo, PushKind, Value};
    use std::task::Waker;

    fn message(text: &str) -> Msg {
        let data = ["c", text].map(|text| Value::BulkString(text.into())).to_vec();
        Msg::from_push_info(PushInfo { kind: PushKind::Message, data }).unwrap()
    }

    fn taken(waiting: &Waiting) -> Vec<String> {
        let mut taken = Vec::new();
        let context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = waiting.poll_take(&context) {
            taken.push(match event {
                Event::Message(message) => message.get_payload().unwrap(),
                Event::Gap { down } => format!("gap of {down:?}"),
                Event::Missed { messages } => format!("missed {messages}"),
            });
        }
        taken
    }

    #[test]
    fn what_there_is_no_room_for_is_told_in_its_place() {
        let waiting = Waiting::new(2, 1 << 20);
        for text in ["a", "b", "c", "d"] {
            waiting.message(message(text));
        }
        assert_eq!(taken(&waiting), ["a", "b", "missed 2"]);
        waiting.message(message("e"));
        assert_eq!(taken(&waiting), ["e"]);
        for text in ["f", "g", "h"] {
            waiting.message(message(text));
        }
        waiting.poll_take(&Context::from_waker(Waker::noop())).is_ready();
        waiting.message(message("i"));
        assert_eq!(taken(&waiting), ["g", "missed 1", "i"]);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let waiting = Waiting::new(100, 1000);
        waiting.message(message(&"x".repeat(500)));
        waiting.message(message(&"x".repeat(500)));
        assert_eq!(taken(&waiting).last().unwrap(), "missed 1");
    }

    #[test]
    fn gaps_stand_where_they_were_and_take_no_room() {
        let waiting = Waiting::new(1, 1 << 20);
        let second = Duration::from_secs(1);
        waiting.message(message("a"));
        for _ in 0..100 {
            waiting.gap(second);
        }
        assert_eq!(waiting.state().events.len(), 2);
        assert_eq!(taken(&waiting), ["a", "gap of 100s"]);
        waiting.close();
        let context = Context::from_waker(Waker::noop());
        assert!(matches!(waiting.poll_take(&context), Poll::Ready(None)));
    }
}

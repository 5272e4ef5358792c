//! What has arrived for one subscription and was not taken yet.

use crate::message::Message;
use futures_util::task::AtomicWaker;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use workyard_adapter_kit::{Error, ErrorKind};

/// What gives way when a message arrives for a subscription whose buffer is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The oldest one that is there.
    #[default]
    DropOldest,
    /// The one that arrives.
    DropNewest,
}

/// Filled by the connection, emptied by one subscriber.
#[derive(Debug)]
pub(crate) struct Buffer {
    contents: Mutex<Contents>,
    waker: AtomicWaker,
    messages_max: usize,
    overflow: Overflow,
    /// What nobody took before the end is left to the broker.
    leaves: bool,
}

#[derive(Debug, Default)]
struct Contents {
    messages: VecDeque<Message>,
    /// Dropped since the subscriber was told last.
    dropped: u64,
    troubles: VecDeque<Error>,
    ended: bool,
}

/// So many troubles are kept for a subscriber that does not look: later ones are like these.
const TROUBLES_MAX: usize = 16;

impl Buffer {
    pub(crate) fn new(messages_max: usize, overflow: Overflow) -> Self {
        let (contents, waker) = (Mutex::default(), AtomicWaker::new());
        Self { contents, waker, messages_max, overflow, leaves: false }
    }

    /// Whether what nobody took before the end is left to the broker: it counts as taken otherwise.
    pub(crate) fn leaving(mut self, leaves: bool) -> Self {
        self.leaves = leaves;
        self
    }

    /// Puts a message in. What gives way for it counts as taken.
    pub(crate) fn put(&self, message: Message) {
        let mut contents = self.contents();
        let mut dropped = None;
        if contents.ended {
            dropped = (!self.leaves).then_some(message);
        } else if contents.messages.len() >= self.messages_max {
            contents.dropped += 1;
            if self.overflow == Overflow::DropNewest {
                dropped = Some(message);
            } else {
                dropped = contents.messages.pop_front();
                contents.messages.push_back(message);
            }
        } else {
            contents.messages.push_back(message);
        }
        drop(contents);
        if let Some(mut message) = dropped {
            message.acknowledge();
        }
        self.waker.wake();
    }

    /// Tells the subscriber of something else than a message.
    pub(crate) fn trouble(&self, error: Error) {
        let mut contents = self.contents();
        if contents.troubles.len() < TROUBLES_MAX {
            contents.troubles.push_back(error);
        }
        drop(contents);
        self.waker.wake();
    }

    /// Nothing more will come, for this reason if there is one to tell.
    pub(crate) fn end(&self, error: Option<Error>) {
        let mut contents = self.contents();
        if !contents.ended {
            contents.ended = true;
            contents.troubles.extend(error);
        }
        drop(contents);
        self.waker.wake();
    }

    /// Nobody will take what there is: it counts as taken, unless it is left to the broker.
    pub(crate) fn abandon(&self) {
        let mut contents = self.contents();
        contents.ended = true;
        let messages = std::mem::take(&mut contents.messages);
        drop(contents);
        if !self.leaves {
            messages.into_iter().for_each(|mut message| message.acknowledge());
        }
    }

    pub(crate) fn poll_take(&self, context: &Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        self.waker.register(context.waker());
        let mut contents = self.contents();
        if contents.dropped > 0 {
            let dropped = std::mem::take(&mut contents.dropped);
            return Poll::Ready(Some(Err(self.lagged(dropped))));
        }
        if let Some(message) = contents.messages.pop_front() {
            return Poll::Ready(Some(Ok(message)));
        }
        match contents.troubles.pop_front() {
            Some(error) => Poll::Ready(Some(Err(error))),
            None if contents.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn lagged(&self, dropped: u64) -> Error {
        let message = format!(
            "{dropped} messages were dropped, because {} waited already, as many as buffer_max allows",
            self.messages_max
        );
        Error::new(ErrorKind::Busy, message)
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Properties;
    use crate::qos::Qos;
    use std::task::Waker;

    fn message(text: &str) -> Message {
        Message {
            topic: "t".into(),
            payload: text.to_owned().into(),
            qos: Qos::AtMostOnce,
            retain: false,
            duplicate: false,
            properties: Properties::default(),
            token: None,
        }
    }

    fn taken(buffer: &Buffer) -> Vec<String> {
        let mut taken = Vec::new();
        while let Poll::Ready(item) = buffer.poll_take(&Context::from_waker(Waker::noop())) {
            match item {
                Some(Ok(message)) => taken.push(message.text()),
                Some(Err(error)) => taken.push(error.kind().to_string()),
                None => {
                    taken.push("end".to_owned());
                    break;
                }
            }
        }
        taken
    }

    fn filled(overflow: Overflow) -> Buffer {
        let buffer = Buffer::new(2, overflow);
        for text in ["1", "2", "3", "4"] {
            buffer.put(message(text));
        }
        buffer
    }

    #[test]
    fn what_gives_way_is_said_and_told() {
        assert_eq!(taken(&filled(Overflow::DropOldest)), ["busy", "3", "4"]);
        assert_eq!(taken(&filled(Overflow::DropNewest)), ["busy", "1", "2"]);
    }

    #[test]
    fn the_end_comes_after_what_there_is() {
        let buffer = Buffer::new(2, Overflow::DropOldest);
        buffer.put(message("1"));
        buffer.end(Some(Error::new(ErrorKind::Closed, "")));
        buffer.end(Some(Error::new(ErrorKind::Server, "")));
        assert_eq!(taken(&buffer), ["1", "closed", "end"]);
    }
}

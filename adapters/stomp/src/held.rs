//! A message that the server waits to hear about.

use crate::codec::{Command, Frame, Headers, Version};
use crate::subscribe::Ack;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the messages that a subscription got over one connection are settled, where that of one
/// stands for all before it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    messages: u64,
    settled_up_to: Arc<AtomicU64>,
}

impl Progress {
    /// Where a new message is: among the others, or alone.
    fn place(&mut self, ack: Ack) -> (u64, Arc<AtomicU64>) {
        if ack != Ack::Client {
            return (1, Arc::default());
        }
        self.messages += 1;
        (self.messages, Arc::clone(&self.settled_up_to))
    }
}

/// A message that the server waits to hear about.
#[derive(Debug)]
pub(crate) struct Held {
    /// The connection that it came with.
    pub(crate) number: u64,
    /// What `ACK` and `NACK` name it by.
    headers: Headers,
    can_nack: bool,
    /// Which message it is of those that are settled together, from 1.
    place: u64,
    settled_up_to: Arc<AtomicU64>,
    /// Up to where they were settled before this one was.
    settled_before: AtomicU64,
}

impl Held {
    /// None when the server does not wait, or has not said what the message is to be named by.
    pub(crate) fn of(
        frame: &Frame,
        ack: Ack,
        version: Version,
        number: u64,
        progress: &mut Progress,
    ) -> Option<Self> {
        if ack == Ack::Auto {
            return None;
        }
        let headers = match version {
            Version::V1_2 => Headers::new().with("id", frame.header("ack")?),
            Version::V1_1 => Headers::new()
                .with("message-id", frame.header("message-id")?)
                .with("subscription", frame.header("subscription")?),
            Version::V1_0 => Headers::new().with("message-id", frame.header("message-id")?),
        };
        let can_nack = version > Version::V1_0;
        let (place, settled_up_to) = progress.place(ack);
        let settled_before = AtomicU64::new(0);
        Some(Self { number, headers, can_nack, place, settled_up_to, settled_before })
    }

    /// `ACK` or `NACK` of this message.
    pub(crate) fn frame(&self, command: Command, transaction: Option<&str>) -> Frame {
        let frame = Frame { headers: self.headers.clone(), ..Frame::new(command) };
        match transaction {
            Some(id) => frame.with("transaction", id),
            None => frame,
        }
    }

    pub(crate) fn can_nack(&self) -> bool {
        self.can_nack
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled_up_to.load(Ordering::Acquire) >= self.place
    }

    /// Whether this settles it: not when it was before, by itself or by a later one.
    pub(crate) fn settle(&self) -> bool {
        let before = self.settled_up_to.fetch_max(self.place, Ordering::AcqRel);
        if before >= self.place {
            return false;
        }
        self.settled_before.store(before, Ordering::Release);
        true
    }

    /// What settled it was undone; a later one that was settled since still stands for it.
    pub(crate) fn unsettle(&self) {
        let before = self.settled_before.load(Ordering::Acquire);
        let order = Ordering::AcqRel;
        let _ = self.settled_up_to.compare_exchange(self.place, before, order, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_names_messages_differently() {
        let message = Frame::new(Command::Message)
            .with("message-id", "m")
            .with("subscription", "s")
            .with("ack", "a");
        let cases: [(Version, &[(&str, &str)]); 3] = [
            (Version::V1_0, &[("message-id", "m")]),
            (Version::V1_1, &[("message-id", "m"), ("subscription", "s")]),
            (Version::V1_2, &[("id", "a")]),
        ];
        for (version, expected) in cases {
            let mut progress = Progress::default();
            let mut held = |message: &Frame, ack| Held::of(message, ack, version, 1, &mut progress);
            assert!(held(&message, Ack::Auto).is_none());
            assert!(held(&Frame::new(Command::Message), Ack::Taken).is_none());
            let held = held(&message, Ack::Client).unwrap();
            let frame = held.frame(Command::Ack, None);
            assert_eq!(frame.headers.iter().collect::<Vec<_>>(), expected);
            assert_eq!(held.can_nack(), version != Version::V1_0);
            assert_eq!(held.frame(Command::Nack, Some("t")).header("transaction"), Some("t"));
        }
    }

    fn held(ack: Ack, progress: &mut Progress) -> Held {
        let message = Frame::new(Command::Message).with("ack", "a");
        Held::of(&message, ack, Version::V1_2, 1, progress).unwrap()
    }

    #[test]
    fn a_message_is_settled_once() {
        for ack in [Ack::Client, Ack::ClientIndividual, Ack::Taken] {
            let held = held(ack, &mut Progress::default());
            assert!(held.settle() && !held.settle() && held.is_settled());
            held.unsettle();
            assert!(!held.is_settled() && held.settle());
        }
    }

    #[test]
    fn one_that_stands_for_all_before_settles_them() {
        let mut progress = Progress::default();
        let all: Vec<_> = (0..4).map(|_| held(Ack::Client, &mut progress)).collect();
        let settled = || all.iter().map(Held::is_settled).collect::<Vec<_>>();
        assert!(all[0].settle() && all[2].settle() && !all[1].settle());
        assert_eq!(settled(), [true, true, true, false]);
        all[2].unsettle();
        assert_eq!(settled(), [true, false, false, false]);
        assert!(all[1].settle() && all[3].settle());
        all[1].unsettle();
        assert_eq!(settled(), [true; 4]);
    }

    #[test]
    fn one_that_stands_for_itself_settles_no_other() {
        let mut progress = Progress::default();
        let all: Vec<_> = (0..3).map(|_| held(Ack::ClientIndividual, &mut progress)).collect();
        assert!(all[1].settle() && !all[0].is_settled() && !all[2].is_settled());
    }
}

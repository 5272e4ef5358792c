//! A message that the server waits to hear about.

use crate::codec::{Command, Frame, Headers, Version};
use crate::subscribe::Ack;
use std::sync::atomic::{AtomicBool, Ordering};

/// A message that the server waits to hear about.
#[derive(Debug)]
pub(crate) struct Held {
    /// The connection that it came with.
    pub(crate) number: u64,
    /// What `ACK` and `NACK` name it by.
    headers: Headers,
    can_nack: bool,
    is_settled: AtomicBool,
}

impl Held {
    /// None when the server does not wait, or has not said what the message is to be named by.
    pub(crate) fn of(frame: &Frame, ack: Ack, version: Version, number: u64) -> Option<Self> {
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
        Some(Self { number, headers, can_nack, is_settled: AtomicBool::new(false) })
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
        self.is_settled.load(Ordering::Acquire)
    }

    /// Whether this settles it: not when it was before.
    pub(crate) fn settle(&self) -> bool {
        !self.is_settled.swap(true, Ordering::AcqRel)
    }

    /// What settled it was undone.
    pub(crate) fn unsettle(&self) {
        self.is_settled.store(false, Ordering::Release);
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
            let held = Held::of(&message, Ack::Client, version, 1).unwrap();
            let frame = held.frame(Command::Ack, None);
            assert_eq!(frame.headers.iter().collect::<Vec<_>>(), expected);
            assert_eq!(held.can_nack(), version != Version::V1_0);
            assert_eq!(held.frame(Command::Nack, Some("t")).header("transaction"), Some("t"));
            assert!(Held::of(&message, Ack::Auto, version, 1).is_none());
            assert!(Held::of(&Frame::new(Command::Message), Ack::Taken, version, 1).is_none());
        }
    }

    #[test]
    fn a_message_is_settled_once() {
        let message = Frame::new(Command::Message).with("ack", "a");
        let held = Held::of(&message, Ack::Client, Version::V1_2, 1).unwrap();
        assert!(held.settle() && !held.settle() && held.is_settled());
        held.unsettle();
        assert!(!held.is_settled() && held.settle());
    }
}

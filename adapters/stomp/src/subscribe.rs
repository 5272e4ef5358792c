//! What is wanted of a subscription.

use crate::codec::{Command, Frame, Headers, Version};
use crate::{Error, ErrorKind, Result};
use std::num::NonZeroU16;

/// When the server considers a message done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ack {
    /// When it is taken from the subscription: the adapter acknowledges it then. What waits in the
    /// buffer is not lost with the process, and the server sends no more than fits.
    #[default]
    Taken,
    /// When it was sent. The server sends as fast as it can; what is not taken in time is lost with the
    /// process. While the buffer is full nothing is read from the connection, receipts included: take
    /// messages on another task than the one that waits for receipts.
    Auto,
    /// When this message or a later one of the subscription is [acknowledged](crate::Message::ack).
    Client,
    /// When this very message is [acknowledged](crate::Message::ack). Since 1.1.
    ClientIndividual,
}

/// What is wanted of a subscription: a destination, and how its messages come.
///
/// `Subscribe::to("/queue/mails")` alone can be written as `"/queue/mails"`.
#[derive(Clone, Debug)]
pub struct Subscribe {
    pub(crate) destination: String,
    pub(crate) ack: Ack,
    pub(crate) prefetch: NonZeroU16,
    pub(crate) headers: Headers,
}

/// What the adapter itself says.
const OURS: [&str; 6] = ["id", "destination", "ack", "prefetch-count", "receipt", "content-length"];

impl Subscribe {
    /// Messages of this destination.
    #[must_use]
    pub fn to(destination: impl Into<String>) -> Self {
        Self {
            destination: destination.into(),
            ack: Ack::default(),
            prefetch: const { NonZeroU16::new(32).unwrap() },
            headers: Headers::new(),
        }
    }

    /// When they are done: unless said, when they are taken.
    #[must_use]
    pub fn ack(mut self, ack: Ack) -> Self {
        self.ack = ack;
        self
    }

    /// Most messages that are sent ahead, and so wait in this process or are not acknowledged yet: 32
    /// unless said; none is as good as one. Servers that do not know `prefetch-count` send what they
    /// want; the connection is not read then while so many wait.
    #[must_use]
    pub fn prefetch(mut self, messages: u16) -> Self {
        self.prefetch = NonZeroU16::new(messages).unwrap_or(NonZeroU16::MIN);
        self
    }

    /// With a header of the server's own: `durable`, `selector`, `x-queue-name`, …
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        no_header_of(&OURS, &self.headers)
    }

    /// The frame, as this version says it.
    pub(crate) fn frame(&self, id: &str, version: Version) -> Result<Frame> {
        let ack = match (self.ack, version) {
            (Ack::Auto, _) => "auto",
            // Messages are taken in their order, so that this comes to the same.
            (Ack::Client, _) | (Ack::Taken, Version::V1_0) => "client",
            (Ack::ClientIndividual, Version::V1_0) => {
                let message = "client-individual needs STOMP 1.1, and the server speaks 1.0";
                return Err(Error::new(ErrorKind::InvalidRequest, message));
            }
            (Ack::ClientIndividual | Ack::Taken, _) => "client-individual",
        };
        let mut frame = Frame::new(Command::Subscribe)
            .with("id", id)
            .with("destination", &self.destination)
            .with("ack", ack);
        if self.ack != Ack::Auto {
            frame = frame.with("prefetch-count", &self.prefetch.to_string());
        }
        frame.headers.append(&self.headers);
        Ok(frame)
    }
}

impl From<&str> for Subscribe {
    fn from(destination: &str) -> Self {
        Self::to(destination)
    }
}

/// Refuses headers that the adapter says itself.
pub(crate) fn no_header_of(ours: &[&str], headers: &Headers) -> Result<()> {
    match headers.iter().find(|(name, _)| ours.contains(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("the header {name:?} is the adapter's to say");
            Err(Error::new(ErrorKind::InvalidRequest, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_said_as_the_version_can() {
        use Ack::*;
        let cases = [
            (Taken, Version::V1_2, Some("client-individual"), true),
            (Taken, Version::V1_0, Some("client"), true),
            (Auto, Version::V1_0, Some("auto"), false),
            (Client, Version::V1_1, Some("client"), true),
            (ClientIndividual, Version::V1_1, Some("client-individual"), true),
            (ClientIndividual, Version::V1_0, None, true),
        ];
        for (ack, version, expected, is_bounded) in cases {
            let frame = Subscribe::to("/queue/a").ack(ack).prefetch(7).frame("1", version);
            assert_eq!(frame.as_ref().ok().and_then(|frame| frame.header("ack")), expected);
            if let Ok(frame) = frame {
                assert_eq!(frame.header("prefetch-count"), is_bounded.then_some("7"));
            }
        }
    }

    #[test]
    fn headers_of_the_adapter_are_not_the_callers() {
        let wish = Subscribe::from("/queue/a").prefetch(0);
        assert_eq!(wish.prefetch.get(), 1);
        wish.clone().header("selector", "a = 1").check().unwrap();
        let error = wish.header("ack", "auto").check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

//! Why a WebSocket connection is closed, as the peers tell each other.

use std::fmt;

/// A code that may be sent: 1000 to 1003, 1007 to 1014, and 3000 to 4999, which are the programs' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// All is done.
    pub const NORMAL: Self = Self(1000);
    /// The server stops, or the page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the rules of the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The peer sent text where only binary messages are understood, or the other way round.
    pub const UNSUPPORTED: Self = Self(1003);
    /// The peer sent text that is not UTF-8, or something else that contradicts itself.
    pub const INVALID_DATA: Self = Self(1007);
    /// The peer did what it may not.
    pub const POLICY: Self = Self(1008);
    /// A message is longer than it may be.
    pub const TOO_BIG: Self = Self(1009);
    /// Something unexpected kept the server from going on.
    pub const INTERNAL: Self = Self(1011);
    /// The server restarts; the peer may come again.
    pub const RESTART: Self = Self(1012);
    /// The server has too much to do; the peer may come again later.
    pub const OVERLOAD: Self = Self(1013);

    /// None if this number may not be sent.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl From<CloseCode> for tokio_websockets::CloseCode {
    fn from(code: CloseCode) -> Self {
        code.0.try_into().expect("all that may be sent are known to it")
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What the peer has said when it closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// None if it gave none.
    pub code: Option<u16>,
    /// Often empty.
    pub reason: String,
}

impl Close {
    /// The longest reason that is sent, in bytes.
    pub const REASON_BYTES_MAX: usize = 123;

    /// Reads what a close frame holds.
    pub(crate) fn parse(payload: &[u8]) -> Self {
        let (code, reason) = match payload.split_first_chunk() {
            Some((code, reason)) => (Some(u16::from_be_bytes(*code)), reason),
            None => (None, &[][..]),
        };
        Self { code, reason: String::from_utf8_lossy(reason).into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_may_be_sent_are_those_of_the_protocol_and_of_programs() {
        for (code, may_be_sent) in [
            (0, false),
            (999, false),
            (1000, true),
            (1003, true),
            (1004, false),
            (1005, false),
            (1006, false),
            (1007, true),
            (1014, true),
            (1015, false),
            (1016, false),
            (2999, false),
            (3000, true),
            (4999, true),
            (5000, false),
            (65535, false),
        ] {
            let code = CloseCode::new(code);
            assert_eq!(code.is_some(), may_be_sent, "{code:?}");
            let _ = code.map(tokio_websockets::CloseCode::from);
        }
    }

    #[test]
    fn what_a_peer_says_is_read() {
        for (payload, code, reason) in [
            (&b""[..], None, ""),
            (b"\x03\xe8", Some(1000), ""),
            (b"\x0f\xa0bye", Some(4000), "bye"),
        ] {
            assert_eq!(Close::parse(payload), Close { code, reason: reason.to_owned() });
        }
    }
}

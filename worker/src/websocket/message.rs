//! WebSocket messages, received and to be sent.

use crate::ProtocolError;
use bytes::Bytes;
use tokio_websockets as frames;

/// A message that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// What it holds, of whichever kind it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// Something to be sent: text is sent as text, bytes are sent as a binary message. Clones share their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Known to be UTF-8.
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
}

/// The longest that a ping may hold.
const PING_BYTES_MAX: usize = 125;

impl Reply {
    /// A ping with up to 125 bytes, which the peer has to answer.
    pub fn ping(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Ping(bytes.into()))
    }

    pub(crate) fn into_frames(self) -> Result<frames::Message, ProtocolError> {
        Ok(match self.0 {
            Kind::Text(bytes) => frames::Message::text(bytes),
            Kind::Binary(bytes) => frames::Message::binary(bytes),
            Kind::Ping(bytes) if bytes.len() <= PING_BYTES_MAX => frames::Message::ping(bytes),
            Kind::Ping(_) => return Err(ProtocolError::new("a ping has 125 bytes at most")),
        })
    }
}

impl From<Message> for Reply {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => text.into(),
            Message::Binary(bytes) => bytes.into(),
        }
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self(Kind::Text(text.into()))
    }
}

impl From<&String> for Reply {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Bytes> for Reply {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Binary(bytes))
    }
}

impl From<Vec<u8>> for Reply {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Kind::Binary(bytes.into()))
    }
}

impl From<&[u8]> for Reply {
    fn from(bytes: &[u8]) -> Self {
        Self(Kind::Binary(Bytes::copy_from_slice(bytes)))
    }
}

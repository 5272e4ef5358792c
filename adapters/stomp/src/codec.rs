//! STOMP frames and their bytes: pure, for both sides, in all three versions.

mod command;
mod decoder;
mod encoder;
mod error;
mod escape;
mod frame;
mod headers;
mod limits;
mod version;

pub use command::Command;
pub use error::{CodecError, Flaw};
pub use frame::Frame;
pub use headers::Headers;
pub use limits::FrameLimits;
pub use version::Version;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// Turns bytes into frames and frames into bytes. Which version it speaks is known once the server has
/// answered `CONNECT`.
#[derive(Debug)]
pub struct Codec {
    version: Option<Version>,
    limits: FrameLimits,
    decoding: decoder::Decoding,
    pieces: u64,
}

impl Codec {
    /// A codec of a connection that has no version yet: as long, headers are taken as they are.
    #[must_use]
    pub fn new(limits: FrameLimits) -> Self {
        Self { version: None, limits, decoding: decoder::Decoding::default(), pieces: 0 }
    }

    /// The same, with this version from the beginning.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// From the next frame on, this version is spoken.
    pub fn set_version(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// Which version is spoken, once it is known.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// How often bytes were looked at: grows whenever the peer has sent something, be it a heart-beat
    /// or a part of a frame.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        self.pieces
    }

    /// Appends the bytes of a frame; a receipt of that number is asked for, if any.
    ///
    /// # Errors
    /// When the frame cannot be said in this version, or is above a limit. Nothing is appended then.
    pub fn encode_with_receipt(
        &self,
        frame: &Frame,
        receipt: Option<u64>,
        into: &mut BytesMut,
    ) -> Result<(), CodecError> {
        encoder::encode(frame, receipt, self.version, &self.limits, into)
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        self.pieces += u64::from(!source.is_empty());
        self.decoding.advance(self.version, &self.limits, source)
    }

    fn decode_eof(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        match self.decode(source)? {
            None if self.decoding.is_within() || !source.is_empty() => {
                Err(CodecError::new(Flaw::Malformed, "the stream ends within a frame"))
            }
            frame => Ok(frame),
        }
    }
}

impl Encoder<&Frame> for Codec {
    type Error = CodecError;

    fn encode(&mut self, frame: &Frame, into: &mut BytesMut) -> Result<(), CodecError> {
        self.encode_with_receipt(frame, None, into)
    }
}

/// Makes a frame with a body, as both sides and tests do.
impl From<(Command, Headers, Bytes)> for Frame {
    fn from((command, headers, body): (Command, Headers, Bytes)) -> Self {
        Self { command, headers, body }
    }
}

#[cfg(test)]
mod tests;

//! Bytes received, cut into frames without copying them.

use crate::limits::READ_BYTES;
use bytes::{Bytes, BytesMut};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt};
use workyard_protocol::Refusal;
use workyard_protocol::frame::{FrameDecoder, LENGTH_BYTES, Split};

/// The least room worth a read.
const ROOM_BYTES_MIN: usize = 4096;

/// The most that is made ready for a frame before more of it has come.
const ROOM_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Inbox {
    buffer: BytesMut,
    decoder: FrameDecoder,
    missing: usize,
}

impl Inbox {
    pub(crate) fn new(frame_bytes_max: usize) -> Self {
        let decoder = FrameDecoder::new(frame_bytes_max);
        Self { buffer: BytesMut::new(), decoder, missing: 0 }
    }

    /// The limit from the next frame on.
    pub(crate) fn set_frame_bytes_max(&mut self, frame_bytes_max: usize) {
        self.decoder = FrameDecoder::new(frame_bytes_max);
    }

    /// Reads what is there, once. Nothing read means that the peer has finished.
    pub(crate) fn poll_fill(
        &mut self,
        transport: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.buffer.capacity() - self.buffer.len() < self.missing.max(ROOM_BYTES_MIN) {
            self.buffer.reserve(self.missing.clamp(READ_BYTES, ROOM_BYTES_MAX));
        }
        // `read_buf` loses nothing when it is dropped while pending.
        let read = pin!(transport.read_buf(&mut self.buffer));
        Future::poll(read, cx)
    }

    /// The body of the next whole frame.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        match self.decoder.split(&self.buffer)? {
            Split::Whole { used, .. } => {
                self.missing = 0;
                let mut frame = self.buffer.split_to(used).freeze();
                Ok(Some(frame.split_off(LENGTH_BYTES)))
            }
            Split::Partial { missing } => {
                self.missing = missing;
                Ok(None)
            }
        }
    }
}

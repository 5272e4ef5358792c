//! Where packets begin and end in a stream of bytes, and what is above the limit without reading it.

use bytes::{Buf, BytesMut};
use workyard_adapter_kit::{Error, ErrorKind};

/// A length is written in four bytes at most, each with seven bits of it.
const LENGTH_BYTES_MAX: usize = 4;
const PUBLISH: u8 = 3;

/// What comes next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A whole packet.
    Packet(BytesMut),
    /// A message whose packet is above the limit. The rest of it is skipped.
    TooLarge { qos: u8, topic: String, id: u16, bytes: usize },
}

/// Cuts a stream of bytes into packets.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) buffer: BytesMut,
    bytes_max: usize,
    skip: usize,
}

impl Frames {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), bytes_max, skip: 0 }
    }

    /// The next packet, as soon as all its bytes are there.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Error> {
        let skipped = self.skip.min(self.buffer.len());
        self.buffer.advance(skipped);
        self.skip -= skipped;
        let Some((head, rest)) = lengths(&self.buffer)? else { return Ok(None) };
        let bytes = head + rest;
        if bytes > self.bytes_max {
            return self.too_large(head, bytes);
        }
        if self.buffer.len() < bytes {
            self.buffer.reserve(bytes - self.buffer.len());
            return Ok(None);
        }
        Ok(Some(Frame::Packet(self.buffer.split_to(bytes))))
    }

    /// Of a message that much is read as it takes to tell the broker that it has arrived: it would send
    /// it again with every connection otherwise.
    fn too_large(&mut self, head: usize, bytes: usize) -> Result<Option<Frame>, Error> {
        let first = self.buffer[0];
        if first >> 4 != PUBLISH {
            let message = format!("a packet of {bytes} bytes that is no message");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let qos = first >> 1 & 3;
        let id_bytes = if qos == 0 { 0 } else { 2 };
        let Some(length) = number(&self.buffer, head) else { return Ok(None) };
        let end = head + 2 + usize::from(length);
        if end + id_bytes > bytes {
            return Err(Error::new(ErrorKind::Protocol, "a topic is longer than its packet"));
        }
        if self.buffer.len() < end + id_bytes {
            return Ok(None);
        }
        let topic = String::from_utf8_lossy(&self.buffer[head + 2..end]).into_owned();
        let id = if qos == 0 { 0 } else { number(&self.buffer, end).unwrap_or(0) };
        self.skip = bytes;
        Ok(Some(Frame::TooLarge { qos, topic, id, bytes }))
    }
}

/// How long the head of a packet is and how long the rest of it, once that can be told.
fn lengths(bytes: &[u8]) -> Result<Option<(usize, usize)>, Error> {
    let mut rest = 0;
    for (place, byte) in bytes.iter().skip(1).take(LENGTH_BYTES_MAX).enumerate() {
        rest |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((place + 2, rest)));
        }
    }
    if bytes.len() > LENGTH_BYTES_MAX {
        return Err(Error::new(ErrorKind::Protocol, "the length of a packet has no end"));
    }
    Ok(None)
}

fn number(bytes: &[u8], place: usize) -> Option<u16> {
    let bytes = bytes.get(place..place + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that comes when these bytes come one by one.
    fn frames(bytes: &[u8], bytes_max: usize) -> Result<Vec<Frame>, ErrorKind> {
        let mut frames = Frames::new(bytes_max);
        let mut found = Vec::new();
        for byte in bytes {
            frames.buffer.extend_from_slice(&[*byte]);
            found.extend(frames.next().map_err(|error| error.kind())?);
        }
        Ok(found)
    }

    #[test]
    fn packets_are_told_apart() {
        let long = [&[0x30, 0x82, 0x01][..], &[7; 130]].concat();
        let bytes = [&[0xD0, 0][..], &long, &[0xD0, 0]].concat();
        let packet = |bytes: &[u8]| Frame::Packet(bytes.into());
        let expected = vec![packet(&[0xD0, 0]), packet(&long), packet(&[0xD0, 0])];
        assert_eq!(frames(&bytes, 200), Ok(expected));
    }

    #[test]
    fn of_a_message_above_the_limit_the_head_is_read() {
        let message =
            |first: u8| [&[first, 12, 0, 1, b't', 0, 9][..], &[7; 7], &[0xD0, 0]].concat();
        let pong = || Frame::Packet([0xD0, 0][..].into());
        let too_large = |qos, id| Frame::TooLarge { qos, topic: "t".into(), id, bytes: 14 };
        assert_eq!(frames(&message(0x32), 13), Ok(vec![too_large(1, 9), pong()]));
        assert_eq!(frames(&message(0x3C), 13), Ok(vec![too_large(2, 9), pong()]));
        assert_eq!(frames(&message(0x30), 13), Ok(vec![too_large(0, 0), pong()]));
        assert_eq!(frames(&message(0x32), 14).unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        assert_eq!(frames(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1], 9), Err(ErrorKind::Protocol));
        assert_eq!(frames(&[0x20, 10], 9), Err(ErrorKind::TooLarge));
        assert_eq!(frames(&[0x30, 10, 0, 9], 9), Err(ErrorKind::Protocol));
    }
}

//! Frames of ZMTP 3.0 and messages out of them: strict, and bounded before anything is kept.

use crate::limits::COMMAND_BYTES_MAX;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use workyard_adapter_kit::{Error, ErrorKind};

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A part that is shorter than this is copied, so that it does not keep a whole buffer from being freed.
const COPIED_BYTES_MAX: usize = 4096;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// The parts of a message: one at least.
    Message(Vec<Bytes>),
    /// The body of a command.
    Command(Bytes),
}

/// Most of what one message may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: usize,
    pub(crate) parts_max: usize,
}

#[derive(Debug)]
pub(crate) struct Decoder {
    bounds: Bounds,
    parts: Vec<Bytes>,
    bytes: usize,
}

impl Decoder {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, parts: Vec::new(), bytes: 0 }
    }

    /// The next message or command, once it is there, taken out of `input`.
    pub(crate) fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, Error> {
        while let Some((flags, start, length)) = self.head(input)? {
            if input.len() < start + length {
                input.reserve(start + length - input.len());
                return Ok(None);
            }
            input.advance(start);
            let body = take(input, length);
            if flags & COMMAND != 0 {
                return Ok(Some(Incoming::Command(body)));
            }
            self.parts.push(body);
            if flags & MORE == 0 {
                self.bytes = 0;
                return Ok(Some(Incoming::Message(std::mem::take(&mut self.parts))));
            }
            self.bytes += length;
        }
        Ok(None)
    }

    /// The flags of a frame, where its body begins and how long that is; checked.
    fn head(&self, input: &[u8]) -> Result<Option<(u8, usize, usize)>, Error> {
        let Some(&flags) = input.first() else { return Ok(None) };
        let is_command = flags & COMMAND != 0;
        if flags > 7 || (is_command && (flags & MORE != 0 || !self.parts.is_empty())) {
            let message = format!("a frame that begins with {flags:#04x}");
            return Err(Error::new(ErrorKind::Protocol, message));
        }
        let (start, length) = match (flags & LONG != 0, input.len()) {
            (false, 2..) => (2, u64::from(input[1])),
            (true, 9..) => (9, (&input[1..9]).get_u64()),
            _ => return Ok(None),
        };
        let (left, what) = match is_command {
            true => (COMMAND_BYTES_MAX, "a command"),
            false => (self.bounds.bytes_max - self.bytes, "a message"),
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= left);
        match length {
            Some(_) if self.parts.len() == self.bounds.parts_max => {
                let message = format!("a message of more than {} parts", self.bounds.parts_max);
                Err(Error::new(ErrorKind::TooLarge, message))
            }
            Some(length) => Ok(Some((flags, start, length))),
            None => {
                let limit = if is_command { left } else { self.bounds.bytes_max };
                let message = format!("{what} of more than {limit} bytes");
                Err(Error::new(ErrorKind::TooLarge, message))
            }
        }
    }
}

fn take(input: &mut BytesMut, length: usize) -> Bytes {
    if length >= COPIED_BYTES_MAX {
        return input.split_to(length).freeze();
    }
    let body = Bytes::copy_from_slice(&input[..length]);
    input.advance(length);
    body
}

/// Writes a message.
pub(crate) fn encode(parts: &[Bytes], output: &mut BytesMut) {
    for (place, part) in parts.iter().enumerate() {
        let more = if place + 1 < parts.len() { MORE } else { 0 };
        frame(more, part, output);
    }
}

/// Writes a command.
pub(crate) fn encode_command(body: &[u8], output: &mut BytesMut) {
    frame(COMMAND, body, output);
}

fn frame(flags: u8, body: &[u8], output: &mut BytesMut) {
    output.reserve(9 + body.len());
    match u8::try_from(body.len()) {
        Ok(length) => {
            output.put_u8(flags);
            output.put_u8(length);
        }
        Err(_) => {
            output.put_u8(flags | LONG);
            output.put_u64(body.len() as u64);
        }
    }
    output.put_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { bytes_max: 10_000, parts_max: 5 };

    fn decode(pieces: &[&[u8]]) -> (Vec<Incoming>, Option<Error>) {
        let (mut decoder, mut input) = (Decoder::new(BOUNDS), BytesMut::new());
        let mut incoming = Vec::new();
        for piece in pieces {
            input.extend_from_slice(piece);
            loop {
                match decoder.decode(&mut input) {
                    Ok(Some(one)) => incoming.push(one),
                    Ok(None) => break,
                    Err(error) => return (incoming, Some(error)),
                }
            }
        }
        (incoming, None)
    }

    fn encoded(parts: &[Bytes]) -> BytesMut {
        let mut output = BytesMut::new();
        encode(parts, &mut output);
        output
    }

    #[test]
    fn frames_byte_by_byte() {
        let parts = [Bytes::from("a"), Bytes::new(), Bytes::from(vec![7; 256])];
        let output = encoded(&parts);
        assert_eq!(output[..14], [1, 1, b'a', 1, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(decode(&[&output]).0, [Incoming::Message(parts.to_vec())]);
        let mut output = BytesMut::new();
        encode_command(b"\x05READY", &mut output);
        assert_eq!(output[..], *b"\x04\x06\x05READY");
        assert_eq!(decode(&[&output]).0, [Incoming::Command(Bytes::from("\x05READY"))]);
        // Longer than it must be said, which is allowed.
        let long = [2, 0, 0, 0, 0, 0, 0, 0, 1, b'a'];
        assert_eq!(decode(&[&long]).0, [Incoming::Message(vec![Bytes::from("a")])]);
    }

    #[test]
    fn what_is_no_frame_or_too_much_is_refused() {
        let too_many = [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0];
        let cases: [(&[u8], ErrorKind); 8] = [
            (&[8], ErrorKind::Protocol),
            (&[0xff], ErrorKind::Protocol),
            (&[5], ErrorKind::Protocol),
            (&[1, 0, 4], ErrorKind::Protocol),
            (b"GET / HTTP/1.1", ErrorKind::Protocol),
            (&[2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], ErrorKind::TooLarge),
            (&[6, 0, 0, 0, 0, 0, 0, 0x10, 1], ErrorKind::TooLarge),
            (&too_many, ErrorKind::TooLarge),
        ];
        for (bytes, kind) in cases {
            let (incoming, error) = decode(&[bytes]);
            assert_eq!(error.map(|error| error.kind()), Some(kind), "{bytes:?}");
            assert!(incoming.is_empty());
        }
        // The parts count together.
        let two = encoded(&[Bytes::from(vec![0; 6000]), Bytes::from(vec![0; 6000])]);
        let error = decode(&[&two]).1.unwrap();
        assert_eq!(error.message(), "a message of more than 10000 bytes");
        let whole = [Bytes::from(vec![0; 6000]), Bytes::from(vec![0; 4000])];
        assert_eq!(decode(&[&encoded(&whole), &encoded(&whole)]).0.len(), 2);
    }

    fn messages() -> impl Strategy<Value = Vec<Vec<Bytes>>> {
        let part = proptest::collection::vec(any::<u8>(), 0..700).prop_map(Bytes::from);
        let message = proptest::collection::vec(part, 1..=5);
        proptest::collection::vec(message, 0..6)
    }

    proptest! {
        #[test]
        fn messages_in_any_pieces_are_the_same(messages in messages(), size in 1..2000_usize) {
            let bytes: Vec<u8> = messages.iter().flat_map(|parts| encoded(parts)).collect();
            let (incoming, error) = decode(&bytes.chunks(size).collect::<Vec<_>>());
            prop_assert!(error.is_none(), "{error:?}");
            let expected: Vec<_> = messages.into_iter().map(Incoming::Message).collect();
            prop_assert_eq!(incoming, expected);
        }

        #[test]
        fn any_bytes_are_messages_or_an_error(
            bytes in proptest::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..500),
            size in 1..500_usize,
        ) {
            let (whole, pieces) = (decode(&[&bytes]), decode(&bytes.chunks(size).collect::<Vec<_>>()));
            prop_assert_eq!(whole.0, pieces.0);
            let kind = |error: Option<Error>| error.map(|error| error.kind());
            prop_assert_eq!(kind(whole.1), kind(pieces.1));
        }
    }
}

//! `FrameDecoder`: a stream yields the same frames whether it arrives at once or in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_protocol::Reason;
use workyard_protocol::frame::{self, FrameDecoder, Split};

/// Small, so that made-up lengths stand on both sides of it.
const FRAME_BYTES_MAX: usize = 300;

// The first byte is the size of the pieces, the rest is the stream.
fuzz_target!(|input: &[u8]| {
    if let Some((size, stream)) = input.split_first() {
        let in_pieces = received(stream.chunks(usize::from(*size).max(1)));
        assert_eq!(in_pieces, received([stream]));
    }
});

/// The bodies of all whole frames, and why the stream was given up, if it was.
fn received<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<Reason>) {
    let decoder = FrameDecoder::new(FRAME_BYTES_MAX);
    let mut bodies = Vec::new();
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.split(&buffer) {
                Ok(Split::Whole { body, used }) => {
                    check_whole(&buffer[..used], body);
                    bodies.push(body.to_vec());
                    buffer.drain(..used);
                }
                Ok(Split::Partial { missing }) => {
                    check_partial(&decoder, &buffer, missing);
                    break;
                }
                Err(refusal) => return (bodies, Some(refusal.reason)),
            }
        }
    }
    (bodies, None)
}

/// A frame is exactly what its body encodes to.
fn check_whole(frame: &[u8], body: &[u8]) {
    let mut encoded = Vec::new();
    frame::encode(&mut encoded, |out| out.extend_from_slice(body));
    assert_eq!(encoded, frame);
}

/// One byte less than what is missing completes nothing.
fn check_partial(decoder: &FrameDecoder, buffer: &[u8], missing: usize) {
    assert!(buffer.len() + missing <= FRAME_BYTES_MAX);
    let mut almost = buffer.to_vec();
    almost.resize(buffer.len() + missing - 1, 0);
    let split = decoder.split(&almost);
    assert!(matches!(split, Ok(Split::Partial { missing: 1 })), "{split:?}");
}

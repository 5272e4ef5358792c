//! What the fuzz targets share: a round trip from bytes to a value, to bytes, to the same value.

use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::limits::{FRAME_BYTES_MAX, FRAME_SLACK_BYTES};

/// Decodes `$body` as `$Frame`. Where that succeeds, what it encodes to must decode to the same.
#[macro_export]
macro_rules! round_trip {
    ($Frame:ty, $body:expr) => {
        if let Ok(first) = <$Frame>::decode($body) {
            let mut bytes = Vec::new();
            first.encode(&mut bytes);
            let again = <$Frame>::decode($crate::body_of(&bytes)).expect("it was just encoded");
            // A float that is not a number does not equal itself, but shows the same.
            if again != first {
                assert_eq!(format!("{again:?}"), format!("{first:?}"));
            }
        }
    };
}

/// The body of the one frame that `bytes` must be.
pub fn body_of(bytes: &[u8]) -> &[u8] {
    let decoder = FrameDecoder::new(FRAME_BYTES_MAX + FRAME_SLACK_BYTES);
    match decoder.split(bytes) {
        Ok(Split::Whole { body, used }) if used == bytes.len() => body,
        other => panic!("{} bytes were encoded, but: {other:?}", bytes.len()),
    }
}

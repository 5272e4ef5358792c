//! What a vector of either service is read as.

use crate::vector::Vector;
use serde_json::Value as Json;
use std::fmt::Debug;
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::limits::FRAME_BYTES_MAX;
use workyard_protocol::{RequestId, ToClient, ToServer, Wire};

/// A service, and how its vectors' fields become its messages.
pub(crate) trait Service:
    Wire<
        Request<'static>: PartialEq + Debug,
        Reply<'static>: PartialEq + Debug,
        Push<'static>: PartialEq + Debug,
    >
{
    fn request(operation: &str, fields: &Json) -> Self::Request<'static>;
    fn reply(operation: &str, fields: &Json) -> Self::Reply<'static>;
    /// Nothing for what is no push.
    fn push(operation: &str, fields: &Json) -> Option<Self::Push<'static>>;
}

/// A frame to a server.
pub(crate) type Up<'a, S> = ToServer<'a, <S as Wire>::Request<'a>>;
/// A frame to a client.
pub(crate) type Down<'a, S> = ToClient<'a, <S as Wire>::Reply<'a>, <S as Wire>::Push<'a>>;

/// The body of the frame that these bytes are, found when they come one at a time.
pub(crate) fn body(frame: &[u8]) -> &[u8] {
    let decoder = FrameDecoder::new(FRAME_BYTES_MAX);
    for end in 0..frame.len() {
        match decoder.split(&frame[..end]) {
            Ok(Split::Partial { missing }) => assert!(missing > 0 && missing <= frame.len() - end),
            other => panic!("after {end} of {} bytes: {other:?}", frame.len()),
        }
    }
    match decoder.split(frame) {
        Ok(Split::Whole { body, used }) if used == frame.len() => body,
        other => panic!("not one whole frame: {other:?}"),
    }
}

/// Decodes to exactly the message, and encodes back to exactly the bytes.
pub(crate) fn check<M: PartialEq + Debug>(
    vector: &Vector,
    expected: &M,
    decoded: &M,
    encode: impl Fn(&M, &mut Vec<u8>),
) {
    assert_eq!(decoded, expected, "{}", vector.name);
    if vector.canonical {
        let mut encoded = Vec::new();
        encode(expected, &mut encoded);
        assert_eq!(
            crate::hex::shown(&encoded),
            crate::hex::shown(&vector.frame),
            "{}",
            vector.name
        );
    }
}

/// What a reader says of a frame that it does not take: the reason's code, and to which request.
pub(crate) fn verdict_up<S: Service>(frame: &[u8]) -> Option<(u16, RequestId)> {
    let body = match FrameDecoder::new(FRAME_BYTES_MAX).split(frame) {
        Err(refusal) => return Some((refusal.reason.code(), 0)),
        Ok(Split::Partial { .. }) => panic!("a vector is a whole frame"),
        Ok(Split::Whole { body, .. }) => body,
    };
    let error = ToServer::<S::Request<'_>>::decode(body).err();
    error.map(|(request, error)| (error.into_refusal().reason.code(), request))
}

/// The same of a frame to a client.
pub(crate) fn verdict_down<S: Service>(frame: &[u8]) -> Option<u16> {
    let body = match FrameDecoder::new(FRAME_BYTES_MAX).split(frame) {
        Err(refusal) => return Some(refusal.reason.code()),
        Ok(Split::Partial { .. }) => panic!("a vector is a whole frame"),
        Ok(Split::Whole { body, .. }) => body,
    };
    let decoded = ToClient::<S::Reply<'_>, S::Push<'_>>::decode(body);
    decoded.err().map(|error| error.into_refusal().reason.code())
}

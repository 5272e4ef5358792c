//! Tells what a frame from the server is, without reading replies and pushes any further.

use crate::received::{Received, Unread};
use bytes::Bytes;
use workyard_protocol::control::Goodbye;
use workyard_protocol::{DecodeError, Reason, Refusal, RequestId, ToClient};

#[derive(Debug)]
pub(crate) enum Incoming {
    Ping(u64),
    Pong(u64),
    Goodbye(Goodbye),
    Answer(RequestId, Result<Received, Refusal>),
    Push(Received),
}

impl Incoming {
    pub(crate) fn read(body: &Bytes) -> Result<Self, DecodeError> {
        let received =
            |unread: Unread<'_>| Received::new(unread.operation, body.slice_ref(unread.body));
        Ok(match ToClient::<Unread<'_>, Unread<'_>>::decode(body)? {
            ToClient::Ping(token) => Self::Ping(token),
            ToClient::Pong(token) => Self::Pong(token),
            ToClient::Goodbye(goodbye) => Self::Goodbye(goodbye),
            ToClient::Refused(id, refusal) => Self::Answer(id, Err(refusal)),
            ToClient::Reply(id, reply) => Self::Answer(id, Ok(received(reply))),
            ToClient::Push(push) => Self::Push(received(push)),
            ToClient::Welcome(_) => {
                let refusal = Refusal::new(Reason::UnexpectedFrame, "a second welcome");
                return Err(refusal.into());
            }
        })
    }
}

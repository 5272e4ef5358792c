//! The native dialect, for any service: the only one that says hello and is heard by its heartbeat.

use crate::service::{Decoded, Dialect, Facts, Greeting, Heard, Push, Recognition, Reply, Request};
use workyard_engine::Engine;
use workyard_protocol::control::{Goodbye, Hello, MAGIC, Welcome};
use workyard_protocol::frame::{FrameDecoder, LENGTH_BYTES, Split};
use workyard_protocol::limits::HELLO_BYTES_MAX;
use workyard_protocol::{DecodeError, NO_REPLY, Reason, Refusal, RequestId, ToClient, ToServer};

type Incoming<'a, E> = ToServer<'a, Request<'a, E>>;
type Outgoing<'a, E> = ToClient<'a, Reply<'a, E>, Push<'a, E>>;

/// The wire of `docs/protocol.md`, for any service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Native;

impl<E: Engine> Dialect<E> for Native {
    const ALL: &'static [Self] = &[Self];

    fn index(self) -> usize {
        0
    }

    /// A hello is known by its operation code and magic, which stand behind a length that it can
    /// have.
    fn recognise(self, first: &[u8]) -> Recognition {
        const HELLO: u8 = 0x01;
        // What has an impossible length, or is whole and yet too short, is no hello.
        let whole = match FrameDecoder::new(HELLO_BYTES_MAX).split(first) {
            Err(_) => return Recognition::No,
            Ok(split) => matches!(split, Split::Whole { .. }),
        };
        let expected = std::iter::once(HELLO).chain(MAGIC);
        let found = first.iter().skip(LENGTH_BYTES);
        if !found.clone().zip(expected.clone()).all(|(found, expected)| *found == expected) {
            return Recognition::No;
        }
        match found.len() >= expected.count() {
            true => Recognition::Yes,
            false if whole => Recognition::No,
            false => Recognition::Unsure,
        }
    }

    /// Answers a hello with a welcome.
    fn greet(
        self,
        input: &[u8],
        facts: &Facts,
        session: u64,
        out: &mut Vec<u8>,
    ) -> Result<Greeting, Refusal> {
        let Split::Whole { body, used } = FrameDecoder::new(HELLO_BYTES_MAX).split(input)? else {
            return Ok(Greeting::Partial);
        };
        let Incoming::<E>::Hello(hello) =
            ToServer::decode(body).map_err(|(_, error)| error.into_refusal())?
        else {
            return Err(Refusal::new(Reason::ExpectedHello, "the first frame must be a hello"));
        };
        let welcome = welcome(&hello, facts, session)?;
        Outgoing::<E>::Welcome(welcome).encode(out);
        Ok(Greeting::Done { used })
    }

    fn decode<'a>(
        self,
        input: &'a [u8],
        frame_bytes_max: usize,
    ) -> Result<Decoded<Request<'a, E>>, Refusal> {
        let (body, used) = match FrameDecoder::new(frame_bytes_max).split(input)? {
            Split::Whole { body, used } => (body, used),
            Split::Partial { missing } => return Ok(Decoded::Partial { missing }),
        };
        let heard = match ToServer::decode(body) {
            Ok(ToServer::Request(id, request)) => Heard::Request(id, request),
            Ok(ToServer::Ping(token)) => Heard::Ping(token),
            Ok(ToServer::Pong(_)) => Heard::Nothing,
            Ok(ToServer::Hello(_)) => {
                return Err(Refusal::new(Reason::UnexpectedFrame, "a second hello"));
            }
            Err((id, DecodeError::Refused(refusal))) if !refusal.reason.ends_connection() => {
                Heard::Refused(id, refusal)
            }
            Err((_, error)) => return Err(error.into_refusal()),
        };
        Ok(Decoded::Frame { used, heard })
    }

    fn expects_reply(self, id: RequestId) -> bool {
        id != NO_REPLY
    }

    fn reply(self, id: RequestId, reply: Reply<'_, E>, out: &mut Vec<u8>) {
        Outgoing::<E>::Reply(id, reply).encode(out);
    }

    /// A refusal is never silent, also when nobody waits for the answer.
    fn refuse(self, id: RequestId, refusal: Refusal, out: &mut Vec<u8>) {
        Outgoing::<E>::Refused(id, refusal).encode(out);
    }

    fn push(self, push: Push<'_, E>, out: &mut Vec<u8>) {
        Outgoing::<E>::Push(push).encode(out);
    }

    fn pong(self, token: u64, out: &mut Vec<u8>) {
        Outgoing::<E>::Pong(token).encode(out);
    }

    fn has_heartbeat(self) -> bool {
        true
    }

    fn ping(self, out: &mut Vec<u8>) {
        Outgoing::<E>::Ping(0).encode(out);
    }

    fn goodbye(self, refusal: Refusal, reconnect_after_ms: Option<u32>, out: &mut Vec<u8>) {
        Outgoing::<E>::Goodbye(Goodbye { refusal, reconnect_after_ms }).encode(out);
    }
}

/// Why first bytes that no dialect knows are refused.
pub(crate) fn stranger(first: &[u8]) -> Refusal {
    let expected = "the first frame must be a hello: a length, 0x01, then WORKYARD";
    match FrameDecoder::new(HELLO_BYTES_MAX).split(first) {
        Err(refusal) => refusal,
        Ok(_) => Refusal::new(Reason::ExpectedHello, expected),
    }
}

fn welcome<'a>(hello: &Hello<'_>, facts: &'a Facts, session: u64) -> Result<Welcome<'a>, Refusal> {
    if hello.service != facts.kind {
        let (wanted, here) = (hello.service.name(), facts.kind.name());
        let text = format!("this is {here}, the client wants {wanted}: check its address");
        return Err(Refusal::new(Reason::WrongService, text));
    }
    Ok(Welcome {
        version: hello.negotiate()?,
        features: 0,
        server: &facts.server,
        epoch: facts.epoch,
        session,
        heartbeat_ms: facts.heartbeat_ms,
        frame_bytes_max: u32::try_from(facts.frame_bytes_max).unwrap_or(u32::MAX),
    })
}

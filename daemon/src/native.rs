//! The native dialect, for any service: the only one that says hello and is heard by its heartbeat.

use crate::service::{
    Decoded, Dialect, Ending, Facts, Greeting, Listener, Push, Recognition, Reply,
};
use workyard_engine::Engine;
use workyard_protocol::control::{Goodbye, Hello, MAGIC, Welcome};
use workyard_protocol::frame::{FrameDecoder, LENGTH_BYTES, Split};
use workyard_protocol::limits::HELLO_BYTES_MAX;
use workyard_protocol::{
    DecodeError, Message, NO_REPLY, Reason, Refusal, RequestHead, RequestId, ToClient, ToServer,
    Wire, encode_push, encode_reply,
};

/// The operation code of a hello.
const HELLO: u8 = 0x01;

type Asked<'a, E> = <<E as Engine>::Wire as Wire>::Request<'a>;
type Incoming<'a, E> = ToServer<'a, Asked<'a, E>>;
type Outgoing<'a, E> = ToClient<'a, Reply<'a, E>, Push<'a, E>>;

/// The wire of `docs/protocol.md`, for any service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Native;

impl Native {
    /// Whether the first bytes of a connection are of this dialect: the operation code of the first frame
    /// is no character. Then it is a hello, or should have been one.
    #[must_use]
    pub fn knows(first: &[u8]) -> Recognition {
        match (first.first_chunk(), first.get(LENGTH_BYTES)) {
            (_, Some(0x01..0x20 | 0x80..)) => Recognition::Yes,
            (_, Some(_)) => Recognition::No,
            (Some(length), None) if !is_hello_length(*length) => Recognition::No,
            (_, None) => Recognition::Unsure,
        }
    }
}

impl<E: Engine> Dialect<E> for Native {
    const COUNT: usize = 1;

    fn at(_: usize) -> Self {
        Self
    }

    fn index(self) -> usize {
        0
    }

    fn recognise(self, first: &[u8]) -> Recognition {
        Self::knows(first)
    }

    /// Answers a hello with a welcome.
    fn greet(
        self,
        input: &[u8],
        facts: &Facts,
        session: u64,
        out: &mut Vec<u8>,
    ) -> Result<Greeting, Refusal> {
        check_magic(input)?;
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

    fn decode(
        self,
        input: &[u8],
        frame_bytes_max: usize,
        listener: &mut impl Listener<E>,
    ) -> Result<Decoded, Ending> {
        let (body, used) = match FrameDecoder::new(frame_bytes_max).split(input)? {
            Split::Whole { body, used } => (body, used),
            Split::Partial { missing } => return Ok(Decoded::Partial { missing }),
        };
        match RequestHead::of(body) {
            Some(RequestHead { operation, id, rest }) => match Message::decode(operation, rest) {
                Ok(request) => listener.request(id, Asked::<E>::into(request)),
                Err(error) => refused(id, error, listener)?,
            },
            None => hear_control(body, listener)?,
        }
        Ok(Decoded::Frame { used })
    }

    fn foresee(self, input: &[u8], frames: usize, see: impl FnMut(&[u8])) {
        see_names(input, frames, see);
    }

    fn expects_reply(self, id: RequestId) -> bool {
        id != NO_REPLY
    }

    fn reply(self, id: RequestId, reply: Reply<'_, E>, out: &mut Vec<u8>) {
        encode_reply(id, &reply, out);
    }

    /// A refusal is never silent, also when nobody waits for the answer.
    fn refuse(self, id: RequestId, refusal: Refusal, out: &mut Vec<u8>) {
        Outgoing::<E>::Refused(id, refusal).encode(out);
    }

    fn push(self, push: &Push<'_, E>, out: &mut Vec<u8>) {
        encode_push(push, out);
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

#[cold]
fn refused<E: Engine>(
    id: RequestId,
    error: DecodeError,
    listener: &mut impl Listener<E>,
) -> Result<(), Refusal> {
    match error {
        DecodeError::Refused(refusal) if !refusal.reason.ends_connection() => {
            listener.refused(id, refusal);
            Ok(())
        }
        error => Err(error.into_refusal()),
    }
}

/// Hears what is no request, or nothing that can be understood.
#[inline(never)]
fn hear_control<E: Engine>(body: &[u8], listener: &mut impl Listener<E>) -> Result<(), Refusal> {
    match Incoming::<E>::decode(body) {
        Ok(ToServer::Request(id, request)) => listener.request(id, request.into()),
        Ok(ToServer::Ping(token)) => listener.ping(token),
        Ok(ToServer::Pong(_)) => {}
        Ok(ToServer::Hello(_)) => {
            return Err(Refusal::new(Reason::UnexpectedFrame, "a second hello"));
        }
        Err((id, error)) => refused(id, error, listener)?,
    }
    Ok(())
}

fn see_names(mut input: &[u8], frames: usize, mut see: impl FnMut(&[u8])) {
    // Whether it is too long is judged when it is its turn.
    let decoder = FrameDecoder::new(usize::MAX);
    for _ in 0..frames {
        let Ok(Split::Whole { body, used }) = decoder.split(input) else { return };
        input = &input[used..];
        if let Some(name) = RequestHead::of(body).and_then(|head| head.short_name()) {
            see(name);
        }
    }
}

fn is_hello_length(length: [u8; LENGTH_BYTES]) -> bool {
    (LENGTH_BYTES + 1..=HELLO_BYTES_MAX).contains(&(u32::from_be_bytes(length) as usize))
}

/// Why what is no hello is refused.
pub(crate) fn expected_hello() -> Refusal {
    let text = "the first frame must be a hello: a length, 0x01, then WORKYARD";
    Refusal::new(Reason::ExpectedHello, text)
}

/// What has come of the hello must be the beginning of one.
fn check_magic(input: &[u8]) -> Result<(), Refusal> {
    let whole = matches!(FrameDecoder::new(HELLO_BYTES_MAX).split(input)?, Split::Whole { .. });
    let expected = std::iter::once(HELLO).chain(MAGIC);
    let found = input.iter().skip(LENGTH_BYTES);
    let known = found.len() >= expected.clone().count();
    let begins = found.zip(expected).all(|(found, expected)| *found == expected);
    if begins && (known || !whole) { Ok(()) } else { Err(expected_hello()) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_protocol::globaldata::{Get, Request};
    use workyard_protocol::{Key, ToServer};

    #[test]
    fn names_are_seen_of_whole_frames_up_to_so_many() {
        let mut input = Vec::new();
        let long = "x".repeat(300);
        for key in ["one", "two", &long, "", "three"] {
            let key = Key::new(key).expect("a key");
            ToServer::Request(1, Request::Get(Get { key })).encode(&mut input);
        }
        ToServer::<Request<'_>>::Ping(7).encode(&mut input);
        let seen = |input: &[u8], frames| {
            let mut names = Vec::new();
            see_names(input, frames, |name| names.push(String::from_utf8_lossy(name).into_owned()));
            names
        };
        assert_eq!(seen(&input, 2), ["one", "two"]);
        let all = seen(&input, 100);
        assert_eq!((all.first(), all.last()), (Some(&"one".into()), Some(&"three".into())));
        assert!(!all.contains(&long), "a long name takes more than a look");
        assert_eq!(seen(&input[..20], 100), ["one"], "the second is not whole");
        assert!(seen(&[0, 0, 0, 0, 255, 255, 255, 255], 100).is_empty(), "no frame is so short");
    }
}

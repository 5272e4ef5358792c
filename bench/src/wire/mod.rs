//! How each server's protocol looks on the wire. Frames are built and parsed as plain bytes, so no
//! peer is measured through a client library of its own.

mod echoes;
mod memcached;
mod native;
mod native_channel;
mod native_globaldata;
mod native_queue;
mod native_watch;
mod nats;
mod raw;
mod redis_channel;
mod redis_keys;
mod resp;
#[cfg(test)]
mod tests;
mod workerman;
mod workerman_channel;
mod workerman_globaldata;

pub(crate) use raw::SUBSCRIBER;

use crate::peer::{Kind, Spoken};
use crate::rows::Via;
use native_channel::NativeChannel;
use std::io;
use std::time::Duration;

/// What a connection is for. Only some protocols need to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Publisher,
    Subscriber,
    /// Sends key-value requests.
    Requester,
}

/// One unit of a connection's incoming byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A published message, whose payload starts `payload_at` bytes into the frame.
    Delivery { frame_bytes: usize, payload_at: usize },
    /// A job, whose payload starts `payload_at` bytes into the frame, to be acknowledged by its lease.
    Job { frame_bytes: usize, payload_at: usize, lease: u64 },
    /// The answer to a key-value request or to a job that is stored; `id` is 0 where the wire has none.
    Answer { frame_bytes: usize, id: u32, answer: Answer },
    /// The server accepts the connection.
    Welcome { frame_bytes: usize },
    /// Anything else that needs no attention: acknowledgements, keep-alives.
    Control { frame_bytes: usize },
    /// More bytes are needed.
    Partial,
}

/// What a key-value answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The request took effect.
    Done,
    /// The request took effect, and the key has this revision now.
    Stored { revision: u64 },
    /// The request was understood and declined: no such key, value changed.
    Declined,
    /// The value that lies `at` bytes into the frame.
    Value { at: usize, bytes: usize },
    /// The value of a counter, or which job it is.
    Number(u64),
    /// A version token, to be used with [`Request::SwapByToken`].
    Token(u64),
}

/// What the reader of any connection has to know.
pub(crate) trait Wire {
    /// What a client sends first, if anything.
    fn greet(&self, role: Role, out: &mut Vec<u8>);

    /// Whether the server answers the greeting with a [`Incoming::Welcome`].
    fn awaits_welcome(&self) -> bool {
        false
    }

    /// Reads the frame at the start of `input`. What has to be answered at once, such as a ping, is
    /// answered to `out`.
    fn incoming(&self, input: &[u8], out: &mut Vec<u8>) -> io::Result<Incoming>;
}

/// Publish and subscribe.
pub(crate) trait PubSubWire: Wire {
    fn subscribe(&self, channel: u32, out: &mut Vec<u8>);
    /// Appends a publication; the payload stands in it verbatim.
    fn publish(&self, channel: u32, payload: &[u8], out: &mut Vec<u8>);
}

/// One work queue.
pub(crate) trait QueueWire: Wire {
    /// Asks for jobs, so many at once.
    fn consume(&self, prefetch: u32, out: &mut Vec<u8>);
    /// Appends a job; the payload stands in it verbatim.
    fn enqueue(&self, payload: &[u8], out: &mut Vec<u8>);
    /// The same, of one that nobody has before its delay is over. It is answered with its number.
    fn store(&self, payload: &[u8], delay: Duration, out: &mut Vec<u8>);
    /// Says that a job is done.
    fn ack(&self, lease: u64, out: &mut Vec<u8>);
}

/// One key-value request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request<'a> {
    Get {
        key: &'a str,
    },
    Set {
        key: &'a str,
        value: &'a [u8],
    },
    SetNumber {
        key: &'a str,
        number: u64,
    },
    Increment {
        key: &'a str,
    },
    CompareAndSwap {
        key: &'a str,
        old: &'a [u8],
        new: &'a [u8],
    },
    /// The same where it goes by revision.
    SwapByRevision {
        key: &'a str,
        revision: u64,
        new: &'a [u8],
    },
    /// Second half of a compare-and-swap that goes by version token.
    SwapByToken {
        key: &'a str,
        token: u64,
        new: &'a [u8],
    },
}

/// How a server compares before it swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SwapBy {
    /// The request names the old value.
    Value,
    /// The request names the revision that the last answer told.
    Revision,
    /// A request of its own fetches a token.
    Token,
}

/// Requests and answers, in their order.
pub(crate) trait KeyValueWire: Wire {
    /// Appends a request. `id` is not 0; where the wire has ids, the answer carries it.
    fn request(&self, id: u32, request: Request<'_>, out: &mut Vec<u8>);

    fn swap_by(&self) -> SwapBy {
        SwapBy::Value
    }

    /// Where the request's id stands, four bytes big endian, if there is one.
    fn id_at(&self) -> Option<usize> {
        None
    }

    /// Whether answers carry meaning. An echo server's do not.
    fn is_checked(&self) -> bool {
        true
    }
}

/// What carries messages of `payload_bytes` from one to many at `kind`; `verify` as in [`pub_sub`].
pub(crate) fn fan_out(
    kind: Kind,
    via: Via,
    payload_bytes: usize,
    verify: bool,
) -> Option<Box<dyn PubSubWire>> {
    match (kind, via) {
        (Kind::Workyard, Via::KeptChannel) => {
            Some(Box::new(NativeChannel { payload_bytes, verify, is_kept: true }))
        }
        (Kind::Workyard, Via::Watch) => {
            Some(Box::new(native_watch::NativeWatch { payload_bytes, verify }))
        }
        _ => pub_sub(kind, payload_bytes, verify),
    }
}

/// The pub/sub protocol of `kind` for messages of `payload_bytes`; with `verify`, frames are also
/// decoded in full where there is more to them than what the generator reads.
pub(crate) fn pub_sub(
    kind: Kind,
    payload_bytes: usize,
    verify: bool,
) -> Option<Box<dyn PubSubWire>> {
    Some(match kind {
        Kind::Limit => Box::new(raw::RawChannel),
        Kind::Workyard => Box::new(NativeChannel { payload_bytes, verify, is_kept: false }),
        Kind::Workerman | Kind::Original => {
            Box::new(workerman_channel::WorkermanChannel::new(payload_bytes, verify))
        }
        Kind::Redis => Box::new(redis_channel::RedisChannel { payload_bytes }),
        Kind::Nats => Box::new(nats::Nats { payload_bytes }),
        Kind::Memcached => return None,
    })
}

/// The protocol of `kind` for queues of jobs of `payload_bytes`.
pub(crate) fn queue(kind: Kind, payload_bytes: usize) -> Option<Box<dyn QueueWire>> {
    (kind == Kind::Workyard)
        .then(|| Box::new(native_queue::NativeQueue { payload_bytes }) as Box<dyn QueueWire>)
}

/// The key-value protocol of `kind`; `verify` as above.
pub(crate) fn key_value(kind: Kind, verify: bool) -> Option<Box<dyn KeyValueWire>> {
    Some(match kind {
        Kind::Limit => Box::new(raw::RawKeys),
        Kind::Workyard => Box::new(native_globaldata::NativeGlobalData { verify }),
        Kind::Workerman | Kind::Original => Box::new(workerman_globaldata::WorkermanGlobalData),
        Kind::Redis => Box::new(redis_keys::RedisKeys),
        Kind::Memcached => Box::new(memcached::Memcached),
        Kind::Nats => return None,
    })
}

/// Requests that a worker sends back, as `spoken`; the limit server sends anything back.
pub(crate) fn echo(kind: Kind, spoken: Spoken) -> Box<dyn KeyValueWire> {
    match spoken {
        Spoken::Frame => Box::new(raw::RawKeys),
        Spoken::Text => Box::new(echoes::Lines),
        Spoken::WebSocket => Box::new(echoes::WebSocket { greets: kind != Kind::Limit }),
        Spoken::Http => Box::new(echoes::Http),
    }
}

/// All channel names have one length, so that all deliveries of a run have one length.
pub(crate) fn channel_name(channel: u32) -> String {
    format!("ch{channel:06}")
}

/// Length of the frame at the start of `input` where frames begin with their total length as four
/// big-endian bytes, or nothing while it is incomplete.
pub(crate) fn length_prefixed(input: &[u8]) -> Option<usize> {
    let prefix = input.first_chunk::<4>()?;
    // A length that does not even count its prefix would never be got past.
    let frame_bytes = (u32::from_be_bytes(*prefix) as usize).max(4);
    (input.len() >= frame_bytes).then_some(frame_bytes)
}

/// The error for bytes that do not belong here.
pub(crate) fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

fn malformed(wire: &str, input: &[u8]) -> io::Error {
    let start = String::from_utf8_lossy(&input[..input.len().min(60)]);
    invalid(format!("unexpected {wire} bytes: {start:?}"))
}

/// The first line of `input` without its CRLF, and the length with it.
fn line(input: &[u8]) -> Option<(&[u8], usize)> {
    let end = input.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&input[..end], end + 2))
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.trim_ascii_end().parse().ok()
}

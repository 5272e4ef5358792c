//! Several dialects on one port.

use crate::service::{
    Decoded, Dialect, Ending, Facts, Greeting, Listener, Push, Recognition, Reply,
};
use workyard_engine::Engine;
use workyard_protocol::{Refusal, RequestId};

/// A dialect of one kind or of another. Those of the first kind are asked first whether they recognise
/// a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}

/// Does the same for either.
macro_rules! each {
    ($either:expr, $dialect:ident => $call:expr) => {
        match $either {
            Either::First($dialect) => $call,
            Either::Second($dialect) => $call,
        }
    };
}

impl<E: Engine, A: Dialect<E>, B: Dialect<E>> Dialect<E> for Either<A, B> {
    const COUNT: usize = A::COUNT + B::COUNT;

    fn at(index: usize) -> Self {
        match index.checked_sub(A::COUNT) {
            None => Self::First(A::at(index)),
            Some(index) => Self::Second(B::at(index)),
        }
    }

    fn index(self) -> usize {
        match self {
            Self::First(dialect) => dialect.index(),
            Self::Second(dialect) => A::COUNT + dialect.index(),
        }
    }

    fn recognise(self, first: &[u8]) -> Recognition {
        each!(self, dialect => dialect.recognise(first))
    }

    fn greet(
        self,
        input: &[u8],
        facts: &Facts,
        session: u64,
        out: &mut Vec<u8>,
    ) -> Result<Greeting, Refusal> {
        each!(self, dialect => dialect.greet(input, facts, session, out))
    }

    fn decode(
        self,
        input: &[u8],
        frame_bytes_max: usize,
        listener: &mut impl Listener<E>,
    ) -> Result<Decoded, Ending> {
        each!(self, dialect => dialect.decode(input, frame_bytes_max, listener))
    }

    fn foresee(self, input: &[u8], frames: usize, see: impl FnMut(&[u8])) {
        each!(self, dialect => dialect.foresee(input, frames, see));
    }

    fn expects_reply(self, id: RequestId) -> bool {
        each!(self, dialect => dialect.expects_reply(id))
    }

    fn reply(self, id: RequestId, reply: Reply<'_, E>, out: &mut Vec<u8>) {
        each!(self, dialect => dialect.reply(id, reply, out));
    }

    fn refuse(self, id: RequestId, refusal: Refusal, out: &mut Vec<u8>) {
        each!(self, dialect => dialect.refuse(id, refusal, out));
    }

    fn push(self, push: &Push<'_, E>, out: &mut Vec<u8>) {
        each!(self, dialect => dialect.push(push, out));
    }

    fn pong(self, token: u64, out: &mut Vec<u8>) {
        each!(self, dialect => dialect.pong(token, out));
    }

    fn has_heartbeat(self) -> bool {
        each!(self, dialect => dialect.has_heartbeat())
    }

    fn ping(self, out: &mut Vec<u8>) {
        each!(self, dialect => dialect.ping(out));
    }

    fn goodbye(self, refusal: Refusal, reconnect_after_ms: Option<u32>, out: &mut Vec<u8>) {
        each!(self, dialect => dialect.goodbye(refusal, reconnect_after_ms, out));
    }
}

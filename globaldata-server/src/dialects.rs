//! Every way to speak to this server. Adding one is adding a folder, and a variant here.

use workyard_daemon::{self as daemon, Decoded, Facts, Greeting, Recognition, native};
use workyard_globaldata_core::Store;
use workyard_protocol::globaldata::{Push, Reply, Request};
use workyard_protocol::{Refusal, RequestId};

/// How a connection speaks; decided once, from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The wire of `docs/protocol.md`.
    Native,
}

impl daemon::Dialect<Store> for Dialect {
    const ALL: &'static [Self] = &[Self::Native];

    fn index(self) -> usize {
        match self {
            Self::Native => 0,
        }
    }

    fn recognise(self, first: &[u8]) -> Recognition {
        match self {
            Self::Native => native::recognise(first),
        }
    }

    fn greet(
        self,
        input: &[u8],
        facts: &Facts,
        session: u64,
        out: &mut Vec<u8>,
    ) -> Result<Greeting, Refusal> {
        match self {
            Self::Native => native::greet::<Store>(input, facts, session, out),
        }
    }

    fn decode<'a>(
        self,
        input: &'a [u8],
        frame_bytes_max: usize,
    ) -> Result<Decoded<Request<'a>>, Refusal> {
        match self {
            Self::Native => native::decode::<Store>(input, frame_bytes_max),
        }
    }

    fn expects_reply(self, id: RequestId) -> bool {
        match self {
            Self::Native => native::expects_reply(id),
        }
    }

    fn reply(self, id: RequestId, reply: Reply<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Native => native::reply::<Store>(id, reply, out),
        }
    }

    fn refuse(self, id: RequestId, refusal: Refusal, out: &mut Vec<u8>) {
        match self {
            Self::Native => native::refuse::<Store>(id, refusal, out),
        }
    }

    fn push(self, push: Push, out: &mut Vec<u8>) {
        match self {
            Self::Native => native::push::<Store>(push, out),
        }
    }

    fn pong(self, token: u64, out: &mut Vec<u8>) {
        match self {
            Self::Native => native::pong::<Store>(token, out),
        }
    }

    fn has_heartbeat(self) -> bool {
        match self {
            Self::Native => true,
        }
    }

    fn ping(self, out: &mut Vec<u8>) {
        match self {
            Self::Native => native::ping::<Store>(out),
        }
    }

    fn goodbye(self, refusal: Refusal, reconnect_after_ms: Option<u32>, out: &mut Vec<u8>) {
        match self {
            Self::Native => native::goodbye::<Store>(refusal, reconnect_after_ms, out),
        }
    }
}

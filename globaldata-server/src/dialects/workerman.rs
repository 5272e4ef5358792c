//! The dialect of workerman/globaldata: every request is answered by one bare value, in order.

use crate::engine::{GlobalDataEngine, Request};
use workyard_daemon::{Decoded, Dialect, Ending, Listener, Native, Recognition};
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::globaldata::{Push, Reply, Written};
use workyard_protocol::{Reason, Refusal, RequestId};
use workyard_workerman::globaldata::{self as wire, Bad};

/// The wire of workerman/globaldata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workerman;

/// How much of a peer's bytes is logged.
const SHOWN_BYTES_MAX: usize = 64;

/// Answers find their questions by their order.
const ANY: RequestId = 1;

impl Dialect<GlobalDataEngine> for Workerman {
    const COUNT: usize = 1;

    fn at(_: usize) -> Self {
        Self
    }

    fn index(self) -> usize {
        0
    }

    /// Whatever is no hello: this wire has no beginning of its own.
    fn recognise(self, first: &[u8]) -> Recognition {
        !Native::knows(first)
    }

    fn decode(
        self,
        input: &[u8],
        frame_bytes_max: usize,
        listener: &mut impl Listener<GlobalDataEngine>,
    ) -> Result<Decoded, Ending> {
        let (body, used) = match FrameDecoder::new(frame_bytes_max).split(input)? {
            Split::Whole { body, used } => (body, used),
            Split::Partial { missing } => return Ok(Decoded::Partial { missing }),
        };
        match wire::decode(body).map_err(|bad| ending(&bad))? {
            wire::Heard::Request(request) => listener.request(ANY, Request::Workerman(request)),
            wire::Heard::Ping => {}
        }
        Ok(Decoded::Frame { used })
    }

    fn expects_reply(self, _: RequestId) -> bool {
        true
    }

    fn reply(self, _: RequestId, reply: Reply<'_>, out: &mut Vec<u8>) {
        match reply {
            Reply::Got(Some(entry)) => wire::put_value(entry.value, out),
            Reply::Got(None) => wire::put_null(out),
            Reply::Incremented { value, .. } => wire::put_value(value.into(), out),
            Reply::Written(Written::Stored { .. }) | Reply::Deleted { .. } => {
                wire::put_bool(true, out);
            }
            Reply::Written(Written::Conflict { .. }) => wire::put_bool(false, out),
            other => unreachable!("no request of this dialect is answered by {other:?}"),
        }
    }

    /// The wire has no errors: what was not done is false.
    fn refuse(self, _: RequestId, _: Refusal, out: &mut Vec<u8>) {
        wire::put_bool(false, out);
    }

    fn push(self, push: &Push<'_>, _: &mut Vec<u8>) {
        unreachable!("no session of this dialect asks for what {push:?} tells")
    }

    /// Lengths that cannot be are met as the original meets them: below four by the answer to a bad
    /// request, beyond the limit by nothing.
    fn goodbye(self, refusal: Refusal, _: Option<u32>, out: &mut Vec<u8>) {
        if refusal.reason == Reason::BadLength {
            wire::put_bad(&Bad::Request, out);
        }
    }
}

fn ending(bad: &Bad) -> Ending {
    let (reason, text) = match bad {
        Bad::Request => (Reason::Malformed, "a bad request".to_owned()),
        Bad::Command(command) => {
            let command = String::from_utf8_lossy(&command[..command.len().min(SHOWN_BYTES_MAX)]);
            (Reason::UnknownOperation, format!("the command {command:?} is unknown"))
        }
    };
    let mut words = Vec::new();
    wire::put_bad(bad, &mut words);
    Ending { refusal: Refusal::new(reason, text), last_words: Some(words) }
}

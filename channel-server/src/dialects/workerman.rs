//! The dialect of workerman/channel: nothing is answered, events and jobs are all that is sent.

use crate::engine::{ChannelEngine, Push, Request};
use workyard_daemon::{Decoded, Dialect, Ending, Listener, Native, Recognition, UntoldLosses};
use workyard_protocol::channel;
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::{ChannelName, NO_REPLY, Refusal, RequestId};
use workyard_workerman::channel as wire;

/// The wire of workerman/channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workerman;

/// The longest frame that these clients take: at a longer one they hang up.
const CLIENT_FRAME_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What subscribers missed, of all connections together.
static LOSSES: UntoldLosses = UntoldLosses::new();

impl Dialect<ChannelEngine> for Workerman {
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

    /// A frame that cannot be understood is passed over, as its sender expects.
    fn decode(
        self,
        input: &[u8],
        frame_bytes_max: usize,
        listener: &mut impl Listener<ChannelEngine>,
    ) -> Result<Decoded, Ending> {
        Ok(match FrameDecoder::new(frame_bytes_max).split(input)? {
            Split::Partial { missing } => Decoded::Partial { missing },
            Split::Whole { body, used } => {
                if let Some(request) = wire::decode(body) {
                    listener.request(NO_REPLY, Request::Workerman(request));
                }
                Decoded::Frame { used }
            }
        })
    }

    fn expects_reply(self, _: RequestId) -> bool {
        false
    }

    fn reply(self, _: RequestId, _: channel::Reply<'_>, _: &mut Vec<u8>) {}

    fn refuse(self, _: RequestId, _: Refusal, _: &mut Vec<u8>) {}

    fn push(self, push: &Push<'_>, out: &mut Vec<u8>) {
        let Push { push, spelling } = *push;
        match push {
            channel::Push::Message { channel, value, .. } => {
                let start = out.len();
                wire::put_event(channel.as_bytes(), spelling, value, out);
                if out.len() - start > CLIENT_FRAME_BYTES_MAX {
                    out.truncate(start);
                    lost(Some(channel), 1, "a message is too long for Workerman's clients");
                }
            }
            channel::Push::Job { queue, value, .. } => {
                wire::put_job(queue.as_bytes(), spelling, value, out);
            }
            channel::Push::Gap { channel, missed, .. } => {
                lost(channel, missed, "a slow subscriber missed messages, and cannot be told");
            }
            // These clients neither ask, serve, follow nor have replays: the wire has no words for it.
            channel::Push::Question(_)
            | channel::Push::Answered(_)
            | channel::Push::Unanswered(_)
            | channel::Push::Presence(_)
            | channel::Push::Replayed { .. }
            | channel::Push::CaughtUp { .. } => {}
        }
    }

    fn goodbye(self, _: Refusal, _: Option<u32>, _: &mut Vec<u8>) {}
}

fn lost(channel: Option<ChannelName<'_>>, missed: u64, what: &'static str) {
    if let Some(missed) = LOSSES.add(missed) {
        let channel = channel.map(|name| name.to_string());
        tracing::warn!(channel, missed, "{what}");
    }
}

//! The native wire of channel-server: fire-and-forget publications, pushes.

use super::native::{Frame, ID_AT, control, decoded, greet, whole_frame};
use super::{Incoming, PubSubWire, Role, Wire, channel_name, invalid};
use std::io;
use workyard_protocol::channel::{
    ChannelWire, Delivery, HistoryBounds, Interest, KeepHistory, Publish, Push, Request, Subscribe,
    Topic,
};
use workyard_protocol::control::ServiceKind;
use workyard_protocol::{ChannelName, NO_REPLY, Pattern, ToClient, ToServer, Ttl, ValueRef};

pub(super) struct NativeChannel {
    pub(super) payload_bytes: usize,
    pub(super) verify: bool,
    /// Whether the channel's last messages are kept.
    pub(super) is_kept: bool,
}

const MESSAGE: u8 = 0xC0;
const SUBSCRIBE_ID: u32 = 1;
const KEEP_ID: u32 = 2;

impl Wire for NativeChannel {
    fn greet(&self, _: Role, out: &mut Vec<u8>) {
        greet(ServiceKind::Channel, out);
    }

    fn awaits_welcome(&self) -> bool {
        true
    }

    fn incoming(&self, input: &[u8], out: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(frame) = whole_frame(input)? else {
            return Ok(Incoming::Partial);
        };
        if frame.operation != MESSAGE {
            return control::<ChannelWire>(frame, out);
        }
        let frame_bytes = frame.bytes.len();
        let Some(payload_at @ ID_AT..) = frame_bytes.checked_sub(self.payload_bytes) else {
            return Err(invalid("a message is shorter than its payload"));
        };
        if self.verify {
            self.check(frame)?;
        }
        Ok(Incoming::Delivery { frame_bytes, payload_at })
    }
}

impl NativeChannel {
    fn check(&self, frame: Frame<'_>) -> io::Result<()> {
        match decoded::<ChannelWire>(frame)? {
            ToClient::Push(Push::Message {
                delivery: Delivery::Everybody,
                channel,
                sequence: _,
                position: _,
                value: ValueRef::Encoded { bytes, .. },
            }) if bytes.len() == self.payload_bytes && channel.as_bytes().starts_with(b"ch") => {
                Ok(())
            }
            other => Err(invalid(format!("not the message published: {other:?}"))),
        }
    }
}

impl PubSubWire for NativeChannel {
    fn subscribe(&self, channel: u32, out: &mut Vec<u8>) {
        let name = channel_name(channel);
        if self.is_kept {
            let pattern =
                Pattern::new(&*name).expect("the names of a run are patterns of one token");
            let keep = Request::KeepHistory(KeepHistory { pattern, bounds: kept() });
            ToServer::Request(KEEP_ID, keep).encode(out);
        }
        let interest = Interest { topic: Topic::Channel(named(&name)), group: None };
        let subscribe = Request::Subscribe(Subscribe::to([interest]));
        ToServer::Request(SUBSCRIBE_ID, subscribe).encode(out);
    }

    fn publish(&self, channel: u32, payload: &[u8], out: &mut Vec<u8>) {
        let name = channel_name(channel);
        let request =
            Request::Publish(Publish { channel: named(&name), value: ValueRef::raw(payload) });
        ToServer::Request(NO_REPLY, request).encode(out);
    }
}

/// So little that it is full all the time, and every message costs another one its place.
fn kept() -> HistoryBounds {
    let age = Ttl::from_millis(3_600_000).expect("an hour is within a ttl's bounds");
    HistoryBounds { messages_max: 1000, bytes_max: 1 << 20, age }
}

fn named(name: &str) -> ChannelName<'_> {
    ChannelName::new(name).expect("the names of a run are short")
}

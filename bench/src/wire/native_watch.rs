//! The native wire of globaldata-server as one to many: a variable that is stored again and again, and those
//! who watch it.

use super::native::{Frame, ID_AT, control, decoded, greet, whole_frame};
use super::{Incoming, PubSubWire, Role, Wire, channel_name, invalid};
use std::io;
use workyard_protocol::control::ServiceKind;
use workyard_protocol::globaldata::{
    Change, Expect, Expiry, GlobalDataWire, Push, Request, Watch, WatchTopic, Write,
};
use workyard_protocol::{Key, NO_REPLY, ToClient, ToServer, ValueRef};

pub(super) struct NativeWatch {
    pub(super) payload_bytes: usize,
    pub(super) verify: bool,
}

const CHANGED: u8 = 0xE0;
const WATCH_ID: u32 = 1;

impl Wire for NativeWatch {
    fn greet(&self, _: Role, out: &mut Vec<u8>) {
        greet(ServiceKind::GlobalData, out);
    }

    fn awaits_welcome(&self) -> bool {
        true
    }

    fn incoming(&self, input: &[u8], out: &mut Vec<u8>) -> io::Result<Incoming> {
        let Some(frame) = whole_frame(input)? else {
            return Ok(Incoming::Partial);
        };
        if frame.operation != CHANGED {
            return control::<GlobalDataWire>(frame, out);
        }
        let frame_bytes = frame.bytes.len();
        let Some(payload_at @ ID_AT..) = frame_bytes.checked_sub(self.payload_bytes) else {
            return Err(invalid("a change is shorter than its value"));
        };
        if self.verify {
            self.check(frame)?;
        }
        Ok(Incoming::Delivery { frame_bytes, payload_at })
    }
}

impl NativeWatch {
    fn check(&self, frame: Frame<'_>) -> io::Result<()> {
        match decoded::<GlobalDataWire>(frame)? {
            ToClient::Push(Push::Changed {
                watch: None,
                key,
                revision: _,
                more: false,
                change: Change::Set { ttl_ms: None, value: Some(ValueRef::Encoded { bytes, .. }) },
            }) if bytes.len() == self.payload_bytes && key.as_bytes().starts_with(b"ch") => Ok(()),
            other => Err(invalid(format!("not the change that was made: {other:?}"))),
        }
    }
}

impl PubSubWire for NativeWatch {
    fn subscribe(&self, channel: u32, out: &mut Vec<u8>) {
        let name = channel_name(channel);
        let topics = vec![WatchTopic::Key(named(&name))];
        let watch = Request::Watch(Watch { watch: 0, topics, values: true, after: None });
        ToServer::Request(WATCH_ID, watch).encode(out);
    }

    fn publish(&self, channel: u32, payload: &[u8], out: &mut Vec<u8>) {
        let (name, value) = (channel_name(channel), ValueRef::raw(payload));
        let (expect, expiry) = (Expect::Any, Expiry::Never);
        let write = Request::Write(Write { key: named(&name), expect, expiry, value });
        ToServer::Request(NO_REPLY, write).encode(out);
    }
}

fn named(name: &str) -> Key<'_> {
    Key::new(name).expect("the names of a run are short")
}

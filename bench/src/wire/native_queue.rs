//! The native wire of channel-server, as far as it is about queues: nobody waits for an answer.

use super::native::{Frame, ID_AT, control, decoded, greet, varint, whole_frame};
use super::{Answer, Incoming, QueueWire, Role, Wire, invalid};
use std::io;
use std::time::Duration;
use workyard_protocol::channel::{Ack, ChannelWire, Consume, Enqueue, Reply, Request};
use workyard_protocol::control::ServiceKind;
use workyard_protocol::{Delay, NO_REPLY, QueueName, ToClient, ToServer, ValueRef};

pub(super) struct NativeQueue {
    pub(super) payload_bytes: usize,
}

const JOB: u8 = 0xC2;
const ENQUEUED: u8 = 0x92;
const CONSUME_ID: u32 = 1;
const STORE_ID: u32 = 2;

impl Wire for NativeQueue {
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
        if frame.operation != JOB {
            return match stored(frame)? {
                Some(number) => {
                    let (frame_bytes, answer) = (frame.bytes.len(), Answer::Number(number));
                    Ok(Incoming::Answer { frame_bytes, id: STORE_ID, answer })
                }
                None => control::<ChannelWire>(frame, out),
            };
        }
        let lease = lease(&frame.bytes[ID_AT..]);
        let lease = lease.ok_or_else(|| invalid("a job ends within its header"))?;
        let frame_bytes = frame.bytes.len();
        let Some(payload_at @ ID_AT..) = frame_bytes.checked_sub(self.payload_bytes) else {
            return Err(invalid("a job is shorter than its payload"));
        };
        Ok(Incoming::Job { frame_bytes, payload_at, lease })
    }
}

/// The number of the job, if the frame says that one is stored.
fn stored(frame: Frame<'_>) -> io::Result<Option<u64>> {
    if frame.operation != ENQUEUED {
        return Ok(None);
    }
    Ok(match decoded::<ChannelWire>(frame)? {
        ToClient::Reply(_, Reply::Enqueued { job, .. }) => Some(job),
        _ => None,
    })
}

/// Behind the queue's name, the job's number and the attempt.
fn lease(header: &[u8]) -> Option<u64> {
    let (name_bytes, length_bytes) = varint(header)?;
    let mut rest = header.get(length_bytes..)?.get(usize::try_from(name_bytes).ok()?..)?;
    for _ in 0..2 {
        let (_, bytes) = varint(rest)?;
        rest = rest.get(bytes..)?;
    }
    varint(rest).map(|(lease, _)| lease)
}

impl QueueWire for NativeQueue {
    fn consume(&self, prefetch: u32, out: &mut Vec<u8>) {
        let request = Request::Consume(Consume { queue: queue(), prefetch });
        ToServer::Request(CONSUME_ID, request).encode(out);
    }

    fn enqueue(&self, payload: &[u8], out: &mut Vec<u8>) {
        let request = Request::Enqueue(Enqueue::new(queue(), ValueRef::raw(payload)));
        ToServer::Request(NO_REPLY, request).encode(out);
    }

    fn store(&self, payload: &[u8], delay: Duration, out: &mut Vec<u8>) {
        let delay = Delay::try_from(delay).expect("rows have delays below ten years");
        let job = Enqueue { delay, ..Enqueue::new(queue(), ValueRef::raw(payload)) };
        ToServer::Request(STORE_ID, Request::Enqueue(job)).encode(out);
    }

    fn ack(&self, lease: u64, out: &mut Vec<u8>) {
        ToServer::Request(NO_REPLY, Request::Ack(Ack { lease })).encode(out);
    }
}

fn queue() -> QueueName<'static> {
    QueueName::new(b"jobs").expect("a short name")
}

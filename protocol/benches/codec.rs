//! What the native wire costs, operation by operation: frames and requests read, replies and pushes written.

use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use std::hint::black_box;
use std::time::Duration;
use workyard_protocol::channel::{
    Ack, ChannelWire, Delivery, Enqueue, Interest, Publish, Push, Subscribe, Topic,
};
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::globaldata::{
    Change, Entry, Expect, Expiry, Get, GlobalDataWire, Increment, Write, Written,
};
use workyard_protocol::{
    ChannelName, Key, Message, NO_REPLY, Number, QueueName, ToClient, ToServer, ValueRef, Wire,
    channel, globaldata,
};

const VALUE: [u8; 64] = [b'v'; 64];
const FRAME_BYTES_MAX: usize = 1 << 20;

fn main() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(20);
    let mut criterion = criterion.configure_from_args();
    decode(&mut criterion);
    encode(&mut criterion);
    criterion.final_summary();
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("native/decode");
    let channel = ChannelName::new("orders.7").expect("short");
    let (queue, key) = (QueueName::new("orders").expect("short"), key());
    let value = ValueRef::raw(&VALUE);
    let to_channels = [
        ("publish", channel::Request::Publish(Publish { channel, value })),
        ("subscribe", {
            let interest = Interest { topic: Topic::Channel(channel), group: None };
            channel::Request::Subscribe(Subscribe::to([interest]))
        }),
        ("enqueue", channel::Request::Enqueue(Enqueue::new(queue, value))),
        ("ack", channel::Request::Ack(Ack { lease: 70_000 })),
    ];
    for (name, request) in to_channels {
        read::<ChannelWire>(&mut group, name, request);
    }
    let write =
        |expect| globaldata::Request::Write(Write { key, expect, expiry: Expiry::Never, value });
    let by = Number::Int(1);
    let increment = Increment { key, by, initial: None, expiry: Expiry::Keep };
    let to_variables = [
        ("get", globaldata::Request::Get(Get { key })),
        ("set", write(Expect::Any)),
        ("cas", write(Expect::Revision(70_000))),
        ("increment", globaldata::Request::Increment(increment)),
    ];
    for (name, request) in to_variables {
        read::<GlobalDataWire>(&mut group, name, request);
    }
    group.finish();
}

/// From the bytes of a connection to the request.
fn read<'a, W: Wire>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    request: W::Request<'a>,
) {
    let mut bytes = Vec::new();
    ToServer::Request(NO_REPLY, request).encode(&mut bytes);
    let frames = FrameDecoder::new(FRAME_BYTES_MAX);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let split = frames.split(black_box(&bytes));
            let Ok(Split::Whole { body, .. }) = split else { panic!("it is whole") };
            let request = ToServer::<W::Request<'_>>::decode(body);
            black_box(request.is_ok())
        });
    });
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("native/encode");
    let value = ValueRef::raw(&VALUE);
    let message = Push::Message {
        delivery: Delivery::Everybody,
        channel: ChannelName::new("orders.7").expect("short"),
        sequence: 70_000,
        position: 70_000,
        value,
    };
    write::<ChannelWire>(&mut group, "message", &ToClient::Push(message));
    let job = Push::Job {
        queue: QueueName::new("orders").expect("short"),
        job: 70_000,
        attempt: 1,
        lease: 70_000,
        lease_ms: 30_000,
        value,
    };
    write::<ChannelWire>(&mut group, "job", &ToClient::Push(job));
    write::<ChannelWire>(&mut group, "done", &ToClient::Reply(7, channel::Reply::Done));
    let entry = Entry { revision: 70_000, ttl_ms: None, value };
    let stored = Written::Stored { revision: 70_000 };
    let number = Number::Int(70_000);
    for (name, reply) in [
        ("entry", globaldata::Reply::Got(Some(entry))),
        ("written", globaldata::Reply::Written(stored)),
        ("incremented", globaldata::Reply::Incremented { revision: 70_000, value: number }),
    ] {
        write::<GlobalDataWire>(&mut group, name, &ToClient::Reply(7, reply));
    }
    let changed = globaldata::Push::Changed {
        watch: None,
        key: key(),
        revision: 70_000,
        more: false,
        change: Change::Set { ttl_ms: None, value: Some(value) },
    };
    write::<GlobalDataWire>(&mut group, "changed", &ToClient::Push(changed));
    group.finish();
}

/// From an answer or push to its frame, into memory that is there.
fn write<'a, W: Wire>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    said: &ToClient<'a, W::Reply<'a>, W::Push<'a>>,
) where
    W::Reply<'a>: Message<'a>,
    W::Push<'a>: Message<'a>,
{
    let mut out = Vec::new();
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.clear();
            black_box(said).encode(&mut out);
            black_box(out.len())
        });
    });
}

fn key() -> Key<'static> {
    Key::new("orders:0000000007").expect("short")
}

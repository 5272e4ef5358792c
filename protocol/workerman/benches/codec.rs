//! What Workerman's wires cost, operation by operation: the frames that PHP's clients send, read, and what they
//! are sent, written.

use criterion::Criterion;
use std::hint::black_box;
use std::time::Duration;
use workyard_php::text;
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::{ValueRef, frame};
use workyard_workerman::{Spelling, channel, globaldata};

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
    let mut group = criterion.benchmark_group("workerman/decode");
    let value = serialized(&VALUE);
    for (name, body) in [
        ("publish", request_to_channels("publish", &value)),
        ("enqueue", request_to_channels("enqueue", &value)),
        ("subscribe", subscribe()),
    ] {
        let bytes = framed(&body);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let request = channel::decode(whole(black_box(&bytes)));
                black_box(request.is_some())
            });
        });
    }
    let md5 = [b'a'; globaldata::MD5_DIGITS];
    for (name, body) in [
        ("get", request_to_variables("get", &[])),
        ("set", request_to_variables("set", &[("value", &value)])),
        ("cas", request_to_variables("cas", &[("md5", &serialized(&md5)), ("value", &value)])),
        ("increment", request_to_variables("increment", &[("step", b"i:1;")])),
    ] {
        let bytes = framed(&body);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let heard = globaldata::decode(whole(black_box(&bytes)));
                black_box(heard.is_ok())
            });
        });
    }
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    type Put = fn(&mut Vec<u8>);
    const WRITTEN: [(&str, Put); 4] = [
        ("event", |out| {
            let value = ValueRef::raw(black_box(&VALUE));
            channel::put_event(b"orders.7", Spelling::Text, value, out);
        }),
        ("value", |out| globaldata::put_value(ValueRef::raw(black_box(&VALUE)), out)),
        ("number", |out| globaldata::put_value(ValueRef::Int(black_box(70_000)), out)),
        ("true", |out| globaldata::put_bool(black_box(true), out)),
    ];
    let mut group = criterion.benchmark_group("workerman/encode");
    let mut out = Vec::new();
    for (name, put) in WRITTEN {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                put(&mut out);
                black_box(out.len())
            });
        });
    }
    group.finish();
}

fn whole(bytes: &[u8]) -> &[u8] {
    match FrameDecoder::new(FRAME_BYTES_MAX).split(bytes) {
        Ok(Split::Whole { body, .. }) => body,
        _ => panic!("it is whole"),
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, |out| out.extend_from_slice(body));
    bytes
}

fn request_to_channels(verb: &str, value: &[u8]) -> Vec<u8> {
    let head = format!(
        "a:3:{{s:4:\"type\";s:{}:\"{verb}\";s:8:\"channels\";a:1:{{i:0;s:8:\"orders.7\";}}s:4:\"data\";",
        verb.len()
    );
    [head.as_bytes(), value, b"}"].concat()
}

fn subscribe() -> Vec<u8> {
    b"a:2:{s:4:\"type\";s:9:\"subscribe\";s:8:\"channels\";a:1:{i:0;s:8:\"orders.7\";}}".to_vec()
}

/// Of the command, the key and more.
fn request_to_variables(command: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    text::array(&mut body, 2 + more.len());
    for (name, value) in [("cmd", command), ("key", "orders:0000000007")] {
        text::string(&mut body, name.as_bytes());
        text::string(&mut body, value.as_bytes());
    }
    for (name, value) in more {
        text::string(&mut body, name.as_bytes());
        body.extend_from_slice(value);
    }
    text::close(&mut body);
    body
}

fn serialized(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    text::string(&mut out, bytes);
    out
}

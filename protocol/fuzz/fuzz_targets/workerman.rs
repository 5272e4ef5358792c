//! The wires of Workerman's clients: whatever is understood can be answered in PHP's own format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_php::scan;
use workyard_protocol::frame::LENGTH_BYTES;
use workyard_protocol::{Encoding, ValueRef};
use workyard_workerman::channel::{self, Request, put_event};
use workyard_workerman::globaldata::{self, Heard, matches, put_value, sum};
use workyard_workerman::{Name, Payload, value};

fuzz_target!(|input: &[u8]| {
    match channel::decode(input) {
        Some(Request::Publish(names, data) | Request::Enqueue(names, data)) => {
            names.list.iter().for_each(|name| check_event(name, data.as_value()));
        }
        Some(Request::Subscribe(names)) => {
            names.list.iter().for_each(|name| check_event(name, ValueRef::Int(1)));
        }
        _ => {}
    }
    match globaldata::decode(input) {
        Ok(Heard::Request(request)) => check_request(&request),
        Ok(Heard::Ping) => {}
        Err(bad) => {
            let mut out = Vec::new();
            globaldata::put_bad(&bad, &mut out);
            check_frame(&out);
        }
    }
    for encoding in [Encoding::Php, Encoding::Json, Encoding::Raw] {
        check_value(ValueRef::Encoded { encoding, bytes: input });
    }
});

fn check_request(request: &globaldata::Request<'_>) {
    match request {
        globaldata::Request::Set(_, value) | globaldata::Request::Add(_, value) => {
            check_stored(value);
        }
        globaldata::Request::Cas(_, digits, value) => {
            let _ = matches(*digits, Some(value.as_value()));
            check_stored(value);
        }
        globaldata::Request::Increment(_, step) => {
            let _ = sum(ValueRef::from(*step), *step);
        }
        globaldata::Request::Get(_) | globaldata::Request::Delete(_) => {}
    }
}

/// What a PHP client stores comes back as it is kept.
fn check_stored(payload: &Payload<'_>) {
    let text = value::canonical(payload.as_value());
    let mut out = Vec::new();
    value::put(payload.as_value(), 0, &mut out);
    assert_eq!(out, text);
    check_value(payload.as_value());
}

fn check_value(value: ValueRef<'_>) {
    let mut out = Vec::new();
    put_value(value, &mut out);
    check_frame(&out);
    let _ = sum(value, workyard_protocol::Number::Int(1));
}

fn check_event(name: &Name<'_>, data: ValueRef<'_>) {
    let mut out = Vec::new();
    put_event(name.as_bytes(), name.spelling(), data, &mut out);
    check_frame(&out);
}

/// PHP reads one value, and nothing behind it.
fn check_frame(frame: &[u8]) {
    let body = &frame[LENGTH_BYTES..];
    let scanned = scan(body).expect("what is sent can be read");
    assert_eq!(scanned.text.len(), body.len());
}

//! Every wire fed byte by byte: no part of a frame is taken for a whole one, and a whole frame is
//! known with whatever follows it.

use super::*;
use workyard_protocol::channel::{self, Push};
use workyard_protocol::control::{Goodbye, Welcome};
use workyard_protocol::globaldata::{self, Entry, Written};
use workyard_protocol::{
    ChannelName, Message, Number, Reason, Refusal, ToClient, ToServer, ValueRef, frame,
};

const PAYLOAD: &[u8] = b"0123456789abcdef";

type FromChannel<'a> = ToClient<'a, channel::Reply<'a>, Push<'a>>;
type FromGlobalData<'a> = ToClient<'a, globaldata::Reply<'a>, globaldata::Push<'a>>;

fn channels(kind: Kind) -> Box<dyn PubSubWire> {
    pub_sub(kind, PAYLOAD.len(), true).unwrap()
}

fn keys(kind: Kind) -> Box<dyn KeyValueWire> {
    key_value(kind, true).unwrap()
}

/// What the frame at the start is, when it comes whole, having checked that it does not when it
/// comes in part.
fn whole(wire: &dyn Wire, frame: &[u8]) -> Incoming {
    let mut out = Vec::new();
    for end in 0..frame.len() {
        let part = wire.incoming(&frame[..end], &mut out).unwrap();
        assert_eq!(part, Incoming::Partial, "{end} bytes");
    }
    assert_eq!(out, b"", "a part of a frame is answered");
    let followed = [frame, b"*3\r\n\0"].concat();
    let incoming = wire.incoming(&followed, &mut Vec::new()).unwrap();
    assert_eq!(wire.incoming(frame, &mut out).unwrap(), incoming);
    incoming
}

fn assert_delivers(kind: Kind, frame: &[u8]) {
    match whole(&*channels(kind), frame) {
        Incoming::Delivery { frame_bytes, payload_at } => {
            assert_eq!(frame_bytes, frame.len());
            assert_eq!(&frame[payload_at..][..PAYLOAD.len()], PAYLOAD);
        }
        other => panic!("{other:?}"),
    }
}

fn assert_answers(kind: Kind, frame: &[u8], answer: Answer) {
    let id = if kind == Kind::Workyard { 7 } else { 0 };
    let expected = Incoming::Answer { frame_bytes: frame.len(), id, answer };
    assert_eq!(whole(&*keys(kind), frame), expected);
}

fn assert_control(wire: &dyn Wire, frame: &[u8], answer: &[u8]) {
    let frame_bytes = frame.len();
    assert_eq!(whole(wire, frame), Incoming::Control { frame_bytes });
    let mut out = Vec::new();
    wire.incoming(frame, &mut out).unwrap();
    assert_eq!(out, answer);
}

fn encoded<'a, R: Message<'a>, P: Message<'a>>(frame: &ToClient<'a, R, P>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

fn message(payload: &[u8]) -> Vec<u8> {
    encoded(&FromChannel::Push(Push::Message {
        delivery: channel::Delivery::Everybody,
        channel: ChannelName::new("ch000001").unwrap(),
        sequence: 1,
        position: 0,
        value: ValueRef::raw(payload),
    }))
}

#[test]
fn deliveries() {
    let mut raw = Vec::new();
    frame::encode(&mut raw, |body| body.extend_from_slice(PAYLOAD));
    assert_delivers(Kind::Limit, &raw);
    assert_delivers(Kind::Workyard, &message(PAYLOAD));
    assert_delivers(Kind::Nats, b"MSG ch000001 1 16\r\n0123456789abcdef\r\n");
    assert_delivers(
        Kind::Redis,
        b"*3\r\n$7\r\nmessage\r\n$8\r\nch000001\r\n$16\r\n0123456789abcdef\r\n",
    );
    assert_delivers(Kind::Workerman, &event(PAYLOAD));
}

/// As recorded of the original server, but for channel and payload.
fn event(payload: &[u8]) -> Vec<u8> {
    let head = b"a:3:{s:4:\"type\";s:5:\"event\";s:7:\"channel\";s:8:\"ch000001\";s:4:\"data\";";
    let data = format!("s:{}:\"{}\";}}", payload.len(), String::from_utf8_lossy(payload));
    php(&[head, data.as_bytes()].concat())
}

fn php(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, |out| out.extend_from_slice(body));
    bytes
}

/// The shapes are those that were recorded of the original clients.
#[test]
fn workerman_clients_say_exactly_this() {
    let assert_said = |say: &dyn Fn(&mut Vec<u8>), body: &str| {
        let mut bytes = Vec::new();
        say(&mut bytes);
        assert_eq!(bytes, php(body.as_bytes()), "{body}");
    };
    let channels = channels(Kind::Workerman);
    assert_said(&|out| channels.greet(Role::Publisher, out), "");
    assert_said(
        &|out| channels.subscribe(1, out),
        r#"a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:1:{i:0;s:8:"ch000001";}}"#,
    );
    assert_said(
        &|out| channels.publish(1, b"str", out),
        r#"a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;s:8:"ch000001";}s:4:"data";s:3:"str";}"#,
    );

    let keys = keys(Kind::Workerman);
    assert_said(&|out| keys.greet(Role::Requester, out), "ping");
    let key = "abc";
    for (request, body) in [
        (Request::Get { key }, r#"a:2:{s:3:"cmd";s:3:"get";s:3:"key";s:3:"abc";}"#),
        (
            Request::Set { key, value: b"done" },
            r#"a:3:{s:3:"cmd";s:3:"set";s:3:"key";s:3:"abc";s:5:"value";s:4:"done";}"#,
        ),
        (
            Request::SetNumber { key, number: 10 },
            r#"a:3:{s:3:"cmd";s:3:"set";s:3:"key";s:3:"abc";s:5:"value";i:10;}"#,
        ),
        (
            Request::Increment { key },
            r#"a:3:{s:3:"cmd";s:9:"increment";s:3:"key";s:3:"abc";s:4:"step";i:1;}"#,
        ),
        (
            Request::CompareAndSwap { key, old: b"done", new: b"r" },
            r#"a:4:{s:3:"cmd";s:3:"cas";s:3:"md5";s:32:"MD5";s:3:"key";s:3:"abc";s:5:"value";s:1:"r";}"#,
        ),
    ] {
        // The MD5 of `s:4:"done";`.
        let body = body.replace("MD5", "987f7d8d82a6d005586bb5e3867a92fb");
        assert_said(&|out| keys.request(1, request, out), &body);
    }
}

#[test]
fn controls() {
    assert_control(&*channels(Kind::Nats), b"PING\r\n", b"PONG\r\n");
    assert_control(&*channels(Kind::Nats), b"INFO {}\r\n", b"");
    assert_control(&*channels(Kind::Redis), b":1\r\n", b"");
    let subscribed = b"*3\r\n$9\r\nsubscribe\r\n$8\r\nch000001\r\n:1\r\n";
    assert_control(&*channels(Kind::Redis), subscribed, b"");
    let done = encoded(&FromChannel::Reply(1, channel::Reply::Done));
    assert_control(&*channels(Kind::Workyard), &done, b"");
    let gap = encoded(&FromChannel::Push(Push::Gap {
        channel: None,
        from: 0,
        to: 0,
        missed: 3,
        replay: 0,
    }));
    assert_control(&*channels(Kind::Workyard), &gap, b"");
}

#[test]
fn native_pings_are_answered_with_their_number() {
    for token in [0, 250, 251, u64::MAX] {
        let mut pong = Vec::new();
        ToServer::<channel::Request<'_>>::Pong(token).encode(&mut pong);
        let ping = encoded(&FromChannel::Ping(token));
        assert_control(&*channels(Kind::Workyard), &ping, &pong);
        assert_control(&*keys(Kind::Workyard), &ping, &pong);
    }
}

#[test]
fn native_servers_welcome_and_refuse() {
    let welcome = encoded(&FromChannel::Welcome(Welcome {
        version: 1,
        features: 0,
        server: "channel-server 0.1.0",
        epoch: 1 << 40,
        session: 300,
        heartbeat_ms: 30_000,
        frame_bytes_max: 10 << 20,
    }));
    let expected = Incoming::Welcome { frame_bytes: welcome.len() };
    let refusal = Refusal::new(Reason::LimitReached, "enough");
    let refused = encoded(&FromChannel::Refused(0, refusal.clone()));
    let goodbye = encoded(&FromChannel::Goodbye(Goodbye { refusal, reconnect_after_ms: None }));
    let (channels, keys) = (channels(Kind::Workyard), keys(Kind::Workyard));
    for wire in [&*channels as &dyn Wire, &*keys as &dyn Wire] {
        assert!(wire.awaits_welcome());
        assert_eq!(whole(wire, &welcome), expected);
        for last in [&refused, &goodbye] {
            let error = wire.incoming(last, &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains("enough"), "{error}");
        }
    }
}

#[test]
fn answers() {
    let value = |at, bytes| Answer::Value { at, bytes };
    let number = Answer::Number(1_000_000_001);
    assert_answers(Kind::Limit, b"\0\0\0\x05x", Answer::Done);
    assert_answers(Kind::Redis, b"+OK\r\n", Answer::Done);
    assert_answers(Kind::Redis, b":0\r\n", Answer::Declined);
    assert_answers(Kind::Redis, b":1\r\n", Answer::Done);
    assert_answers(Kind::Redis, b":1000000001\r\n", number);
    assert_answers(Kind::Redis, b"$-1\r\n", Answer::Declined);
    assert_answers(Kind::Redis, b"$3\r\nabc\r\n", value(4, 3));
    assert_answers(Kind::Memcached, b"STORED\r\n", Answer::Done);
    assert_answers(Kind::Memcached, b"EXISTS\r\n", Answer::Declined);
    assert_answers(Kind::Memcached, b"1000000001\r\n", number);
    assert_answers(Kind::Memcached, b"VALUE k 0 3\r\nabc\r\nEND\r\n", value(13, 3));
    assert_answers(Kind::Memcached, b"VALUE k 0 3 77\r\nabc\r\nEND\r\n", Answer::Token(77));
    assert_answers(Kind::Workerman, &php(b"b:1;"), Answer::Done);
    assert_answers(Kind::Workerman, &php(b"b:0;"), Answer::Declined);
    assert_answers(Kind::Workerman, &php(b"N;"), Answer::Declined);
    assert_answers(Kind::Workerman, &php(b"i:1000000001;"), number);
    assert_answers(Kind::Workerman, &php(b"s:3:\"abc\";"), value(9, 3));
    assert_answers(Kind::Original, &php(b"s:10:\"0123456789\";"), value(10, 10));
}

#[test]
fn native_answers() {
    let assert_reply = |reply: globaldata::Reply<'_>, answer| {
        assert_answers(Kind::Workyard, &encoded(&FromGlobalData::Reply(7, reply)), answer);
    };
    assert_reply(globaldata::Reply::Got(None), Answer::Declined);
    for (revision, at) in [(1, 13), (1_000, 15), (1_000_000, 17), (1 << 40, 21)] {
        let entry = Entry { revision, ttl_ms: None, value: ValueRef::raw(b"abc") };
        assert_reply(globaldata::Reply::Got(Some(entry)), Answer::Value { at, bytes: 3 });
        assert_reply(
            globaldata::Reply::Written(Written::Stored { revision }),
            Answer::Stored { revision },
        );
        assert_reply(
            globaldata::Reply::Written(Written::Conflict { current: revision }),
            Answer::Declined,
        );
        assert_reply(
            globaldata::Reply::Incremented { revision, value: Number::Int(1_000_000_001) },
            Answer::Number(1_000_000_001),
        );
    }
}

#[test]
fn what_does_not_belong_is_an_error() {
    let refused = |wire: &dyn Wire, bytes: &[u8]| {
        assert!(wire.incoming(bytes, &mut Vec::new()).is_err(), "{bytes:?}");
    };
    refused(&*channels(Kind::Redis), b"-ERR\r\n");
    refused(&*channels(Kind::Nats), b"-ERR 'x'\r\n");
    refused(&*channels(Kind::Workyard), &message(b"too short"));
    refused(&*channels(Kind::Workyard), b"\0\0\0\x04");
    refused(&*channels(Kind::Workyard), b"\0\0\0\x05\xC5");
    refused(&*channels(Kind::Workerman), b"\0\0\0\x04");
    refused(&*channels(Kind::Workerman), b"\0\0\0\0");
    refused(&*channels(Kind::Workerman), &event(b"too short"));
    for body in [&b""[..], b"i:x;", b"d:1.5;", b"a:0:{}", b"s:3:\"ab\";", b"s:2:\"abc\";", b"s:3"] {
        refused(&*keys(Kind::Workerman), &php(body));
    }
    refused(&*keys(Kind::Redis), b"-ERR no\r\n");
    refused(&*keys(Kind::Memcached), b"ERROR\r\n");
    refused(&*keys(Kind::Limit), b"\0\0\0\0");
    refused(&*keys(Kind::Workyard), b"\0\0\0\x0A\xB0\0\0\0\x07\x01");
    let float = FromGlobalData::Reply(
        7,
        globaldata::Reply::Incremented { revision: 1, value: Number::Float(1.5) },
    );
    refused(&*keys(Kind::Workyard), &encoded(&float));
}

#[test]
fn verifying_looks_into_the_frame() {
    let mut one = message(PAYLOAD);
    let at = one.windows(2).position(|pair| pair == b"ch").unwrap();
    one[at] = b'x';
    assert!(channels(Kind::Workyard).incoming(&one, &mut Vec::new()).is_err());
    let glance = pub_sub(Kind::Workyard, PAYLOAD.len(), false).unwrap();
    assert!(glance.incoming(&one, &mut Vec::new()).is_ok());

    let whole = event(PAYLOAD);
    let glance = pub_sub(Kind::Workerman, PAYLOAD.len(), false).unwrap();
    for word in ["event", "ch0", "data", "16:", "}"] {
        let mut one = whole.clone();
        let at = one.windows(word.len()).rposition(|part| part == word.as_bytes()).unwrap();
        one[at] = b'x';
        assert!(channels(Kind::Workerman).incoming(&one, &mut Vec::new()).is_err(), "{word}");
        assert!(glance.incoming(&one, &mut Vec::new()).is_ok());
    }
}

//! First bytes that are no hello, or a wrong one.

use std::thread;
use std::time::{Duration, Instant};
use workyard_protocol::control::{Hello, MAGIC, ServiceKind};
use workyard_protocol::frame::{self, LENGTH_BYTES};
use workyard_protocol::limits::HELLO_BYTES_MAX;
use workyard_protocol::{Reason, ToServer, Wire};
use workyard_tests::raw::{bytes, uint};
use workyard_tests::{Canary, ChannelWire, Daemon, GlobalDataWire, Peer, Setup, note};

/// A stranger is told at once why it is not served.
fn check_strangers<W: Canary>(daemon: &Daemon<W>, cases: &[(&str, Vec<u8>, Reason)]) {
    let mut keeper = W::keep(daemon);
    for (what, bytes, reason) in cases {
        note(&format!("{what}: {reason}"));
        let began = Instant::now();
        let mut stranger = daemon.stranger();
        stranger.send_bytes(bytes);
        let goodbye = stranger.expect_goodbye(*reason);
        assert!(!goodbye.refusal.text.is_empty());
        assert_eq!(goodbye.reconnect_after_ms, None);
        assert!(began.elapsed() < Duration::from_secs(5), "it was left waiting");
        W::check(&mut keeper);
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame::encode(&mut out, |out| out.extend_from_slice(body));
    out
}

fn hello_frame<W: Wire>(hello: Hello<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    ToServer::<W::Request<'_>>::Hello(hello).encode(&mut out);
    out
}

/// What is no hello, and cannot be of a client without hello either.
#[test]
fn strangers_are_told_what_is_expected() {
    use Reason::ExpectedHello;
    let other_magic = [&[0x01], b"WORKYARE".as_slice(), &[1, 1, 0, 0, 0, 0]].concat();
    let cases = [
        ("another magic", framed(&other_magic), ExpectedHello),
        ("a ping", framed(&[0x02, 7]), ExpectedHello),
        ("a welcome", framed(&[0x81, 1, 0, 0]), ExpectedHello),
        ("a goodbye", framed(&[0x83, 100, 0, 0]), ExpectedHello),
        ("a publish", framed(&[0x12, 0, 0, 0, 1, 1, b'a', 0]), ExpectedHello),
    ];
    check_strangers(&Setup::<ChannelWire>::new().start(), &cases);
    check_strangers(&Setup::<GlobalDataWire>::new().start(), &cases);
}

#[test]
fn a_first_frame_that_is_whole_and_too_short_for_a_hello_is_refused_at_once() {
    let daemon = Setup::<ChannelWire>::new().start();
    let start = [&[0x01], MAGIC.as_slice()].concat();
    let cases: Vec<_> = (1..start.len())
        .map(|cut| ("the start of a hello", framed(&start[..cut]), Reason::ExpectedHello))
        .collect();
    check_strangers(&daemon, &cases);
}

/// Lengths that no frame has, as other protocols begin too. Who sends them would not understand a
/// goodbye.
fn lengths() -> Vec<(&'static str, Vec<u8>)> {
    let length = |length: u32| [&length.to_be_bytes()[..], b"a:0:{}"].concat();
    let tls = b"\x16\x03\x01\x02\x00\x61\x00\x01\xfc\x03\x03".to_vec();
    vec![
        ("a length of 0", length(0)),
        ("a length of 1", length(1)),
        ("a length of 2", length(2)),
        ("a length of 3", length(3)),
        ("a length above the limit", length(10 * 1024 * 1024 + 1)),
        ("a length of 2^31", length(1 << 31)),
        ("a length of 2^32-1", length(u32::MAX)),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        ("HTTP with a body", b"POST / HTTP/1.1\r\n\r\nget a".to_vec()),
        ("HTTP 2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("TLS", tls),
        ("RESP", b"*1\r\n$4\r\nPING\r\n".to_vec()),
        ("memcached", b"get a\r\n".to_vec()),
        ("PROXY", b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n".to_vec()),
    ]
}

#[test]
fn who_begins_with_a_length_that_cannot_be_is_hung_up_on() {
    hang_up_on(&Setup::<ChannelWire>::new().start(), &lengths());
    // To the others the bytes of an answer come first; the dialogues with PHP's clients have those.
    hang_up_on(&Setup::<GlobalDataWire>::new().start(), &lengths()[4..]);
}

fn hang_up_on<W: Canary>(daemon: &Daemon<W>, cases: &[(&str, Vec<u8>)]) {
    let mut keeper = W::keep(daemon);
    for (what, bytes) in cases {
        note(what);
        let mut stranger = daemon.stranger();
        stranger.send_bytes(bytes);
        stranger.expect_end();
        W::check(&mut keeper);
    }
}

#[test]
fn wrong_hellos_are_refused_with_their_reason() {
    let daemon = Setup::<ChannelWire>::new().start();
    let hello = Hello::new(ServiceKind::Channel, "test");
    let encoded = |hello| hello_frame::<ChannelWire>(hello);
    let other = Hello { service: ServiceKind::GlobalData, ..hello };
    let newer = Hello { version_min: 2, version_max: 9, ..hello };
    let older = Hello { version_min: 0, version_max: 0, ..hello };
    let upside_down = Hello { version_min: 2, version_max: 1, ..hello };
    let credentials = [b'x'; HELLO_BYTES_MAX];
    let long = Hello { credentials: Some(&credentials), ..hello };
    let raw = |fields: &[&[u8]]| framed(&[&[0x01], MAGIC.as_slice(), &fields.concat()].concat());
    let no_text = raw(&[&[1, 1, 0, 0], &bytes(&[0xff, 0xfe]), &[0]]);
    let endless = raw(&[&[1, 1, 0, 0], &uint(u64::MAX)]);
    check_strangers(
        &daemon,
        &[
            ("another service", encoded(other), Reason::WrongService),
            ("newer versions", encoded(newer), Reason::VersionUnsupported),
            ("older versions", encoded(older), Reason::VersionUnsupported),
            ("no version", encoded(upside_down), Reason::VersionUnsupported),
            ("above the limit", encoded(long), Reason::FrameTooLarge),
            ("a service unknown", raw(&[&[1, 1, 2, 0, 0, 0]]), Reason::Malformed),
            ("a name that is no text", no_text, Reason::Malformed),
            ("a name without end", endless, Reason::Malformed),
        ],
    );
}

#[test]
fn a_hello_needs_each_of_its_bytes_and_no_more() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let hello = Peer::<GlobalDataWire>::hello_bytes();
    let body = &hello[LENGTH_BYTES..];
    let mut cases: Vec<_> = (1 + MAGIC.len()..body.len())
        .map(|cut| ("cut", framed(&body[..cut]), Reason::Malformed))
        .collect();
    let longer = [body, &[0]].concat();
    cases.push(("longer", framed(&longer), Reason::Malformed));
    check_strangers(&daemon, &cases);
}

#[test]
fn a_hello_as_long_as_it_may_be_is_welcome() {
    let daemon = Setup::<ChannelWire>::new().start();
    let mut hello = Hello::new(ServiceKind::Channel, "test");
    // Four bytes of length, a code, the magic, six fields of a byte, "test", a length of three.
    let credentials = [b'x'; HELLO_BYTES_MAX - 4 - 1 - 8 - 6 - 4 - 3];
    hello.credentials = Some(&credentials);
    let bytes = hello_frame::<ChannelWire>(hello);
    assert_eq!(bytes.len(), HELLO_BYTES_MAX);
    let mut peer = daemon.stranger();
    peer.send_bytes(&bytes);
    peer.expect_welcome();
}

#[test]
fn each_of_256_first_bytes_comes_to_an_end() {
    let daemon = Setup::<ChannelWire>::new().start();
    let mut keeper = ChannelWire::keep(&daemon);
    for byte in 0..=255u8 {
        let mut stranger = daemon.stranger();
        stranger.send_bytes(&[byte; 16]);
        match byte {
            0x01..0x20 | 0x80.. => {
                stranger.expect_goodbye(Reason::FrameTooLarge);
            }
            _ => stranger.expect_end(),
        }
    }
    ChannelWire::check(&mut keeper);
}

#[test]
fn a_hello_may_come_in_two_parts_cut_anywhere() {
    let daemon = Setup::<ChannelWire>::new().start();
    let hello = Peer::<ChannelWire>::hello_bytes();
    for cut in 1..hello.len() {
        let mut peer = daemon.stranger();
        let (one, two) = hello.split_at(cut);
        peer.send_bytes(one);
        // Parts that arrive together would be no parts.
        thread::sleep(Duration::from_millis(2));
        peer.send_bytes(two);
        peer.expect_welcome();
        peer.expect_silence();
    }
}

//! Frames as data, and what holds for any of them.

use super::*;
use proptest::prelude::*;

fn codec(version: Version) -> Codec {
    Codec::new(FrameLimits::default()).with_version(version)
}

/// The same for both ways.
fn limits(headers_max: usize, line_bytes_max: usize, body_bytes_max: usize) -> FrameLimits {
    FrameLimits {
        headers_max,
        received_headers_max: headers_max,
        line_bytes_max,
        received_line_bytes_max: line_bytes_max,
        body_bytes_max,
    }
}

fn bytes_of(version: Version, frame: &Frame) -> Result<Vec<u8>, CodecError> {
    let mut bytes = BytesMut::new();
    codec(version).encode(frame, &mut bytes).map(|()| bytes.to_vec())
}

/// All frames of a stream that comes in pieces of this size.
fn frames(mut codec: Codec, stream: &[u8], piece: usize) -> Result<Vec<Frame>, Flaw> {
    let (mut frames, mut buffer) = (Vec::new(), BytesMut::new());
    for piece in stream.chunks(piece) {
        buffer.extend_from_slice(piece);
        while let Some(frame) = codec.decode(&mut buffer).map_err(|error| error.flaw())? {
            frames.push(frame);
        }
    }
    while let Some(frame) = codec.decode_eof(&mut buffer).map_err(|error| error.flaw())? {
        frames.push(frame);
    }
    Ok(frames)
}

#[test]
fn frames_have_these_bytes() {
    let send = Frame::new(Command::Send).with("destination", "/queue/a:b\\c\n");
    let send = Frame { body: Bytes::from_static(b"a\0b"), ..send };
    let written = |version| bytes_of(version, &send).unwrap();
    let escaped = b"SEND\ndestination:/queue/a\\cb\\\\c\\n\ncontent-length:3\n\na\0b\0";
    assert_eq!(written(Version::V1_1), escaped);
    assert_eq!(written(Version::V1_2), escaped);
    assert_eq!(bytes_of(Version::V1_0, &send).unwrap_err().flaw(), Flaw::Unsayable);

    let connect = Frame::new(Command::Connect).with("host", "a:\\b");
    assert_eq!(bytes_of(Version::V1_2, &connect).unwrap(), b"CONNECT\nhost:a:\\b\n\n\0");

    let mut bytes = BytesMut::new();
    let begin = Frame::new(Command::Begin).with("transaction", "t");
    codec(Version::V1_2).encode_with_receipt(&begin, Some(7), &mut bytes).unwrap();
    assert_eq!(&bytes[..], b"BEGIN\ntransaction:t\nreceipt:7\n\n\0");
}

#[test]
fn bytes_are_these_frames() {
    use Version::*;
    let message = |value: &str| Frame::new(Command::Message).with("a", value);
    let with_body = |frame, body: &'static [u8]| Frame { body: Bytes::from_static(body), ..frame };
    let length = |length| Frame::new(Command::Message).with("content-length", length);
    let twice = Frame::new(Command::Message).with("a", "1").with("a", "2");
    let cases: &[(Version, &[u8], Frame)] = &[
        (V1_0, b"MESSAGE\na:x\\n:y\n\n\0", message("x\\n:y")),
        (V1_0, b"MESSAGE\na:x\r\n\n\0", message("x\r")),
        (V1_1, b"MESSAGE\na:x\\n\\c\\\\\n\n\0", message("x\n:\\")),
        (V1_2, b"MESSAGE\na:x\\r\n\n\0", message("x\r")),
        (V1_2, b"\r\n\n\r\nMESSAGE\r\na:x\r\n\r\n\0", message("x")),
        (V1_2, b"MESSAGE\na: x \n\n\0", message(" x ")),
        (V1_2, b"MESSAGE\na:\n\n\0\n\n\n", message("")),
        (V1_2, b"MESSAGE\na:x:y\n\n\0", message("x:y")),
        (V1_2, b"MESSAGE\na:1\na:2\n\n\0", twice),
        (V1_2, b"MESSAGE\na:x\n\nbody\0", with_body(message("x"), b"body")),
        (V1_2, b"MESSAGE\ncontent-length:3\n\na\0b\0", with_body(length("3"), b"a\0b")),
        (V1_2, b"MESSAGE\ncontent-length:0\n\n\0", length("0")),
        (
            V1_2,
            b"CONNECTED\nserver:a\\q:b\n\n\0",
            Frame::new(Command::Connected).with("server", "a\\q:b"),
        ),
    ];
    for (version, bytes, frame) in cases {
        for piece in 1..=bytes.len() {
            let found = frames(codec(*version), bytes, piece);
            assert_eq!(found.as_deref(), Ok(std::slice::from_ref(frame)), "{version} {piece}");
        }
    }
    let twice = frames(codec(V1_2), b"MESSAGE\na:1\na:2\n\n\0", 1).unwrap();
    assert_eq!(twice[0].header("a"), Some("1"));
}

#[test]
fn what_is_wrong_is_refused() {
    use Flaw::{Malformed, TooLarge};
    use Version::*;
    let cases: &[(Version, &[u8], Flaw)] = &[
        (V1_2, b"HELLO\n\n\0", Malformed),
        (V1_2, b"message\n\n\0", Malformed),
        (V1_1, b"MESSAGE\r\n\n\0", Malformed),
        (V1_2, b"MESSAGE\nno colon\n\n\0", Malformed),
        (V1_2, b"MESSAGE\n:nameless\n\n\0", Malformed),
        (V1_2, b"MESSAGE\na:\\t\n\n\0", Malformed),
        (V1_2, b"MESSAGE\na:\\\n\n\0", Malformed),
        (V1_1, b"MESSAGE\na:\\r\n\n\0", Malformed),
        (V1_2, b"MESSAGE\na:\xff\n\n\0", Malformed),
        (V1_2, b"MESSAGE\ncontent-length:-1\n\n\0", Malformed),
        (V1_2, b"MESSAGE\ncontent-length:+1\n\na\0", Malformed),
        (V1_2, b"MESSAGE\ncontent-length:\n\n\0", Malformed),
        (V1_2, b"MESSAGE\ncontent-length:1\n\nab\0", Malformed),
        (V1_2, b"MESSAGE\ncontent-length:2\n\na\0", Malformed),
        (V1_2, b"MESSAGE\na:1\n", Malformed),
        (V1_2, b"MESS", Malformed),
        (V1_2, b"MESSAGE\ncontent-length:99999999999999999999999\n\n\0", TooLarge),
        (V1_2, b"MESSAGE\ncontent-length:9\n\n", TooLarge),
        (V1_2, b"MESSAGE\n\n123456789", TooLarge),
        (V1_2, b"MESSAGE\na:1\nb:1\nc:1\nd:1\n", TooLarge),
        (V1_2, b"MESSAGE\ncontent-length:000000000000000000000000000000000000000000", TooLarge),
        (V1_2, b"123456789012345678901234567890123456789012345678901", TooLarge),
    ];
    let limits = limits(3, 48, 8);
    for (version, bytes, flaw) in cases {
        for piece in 1..=bytes.len() {
            let found = frames(Codec::new(limits).with_version(*version), bytes, piece);
            assert_eq!(found, Err(*flaw), "{:?} {piece}", String::from_utf8_lossy(bytes));
        }
    }
}

#[test]
fn what_is_just_within_the_limits_is_taken() {
    let limits = limits(3, 16, 8);
    let stream = b"MESSAGE\naaaaaaaa:1234567\r\nb:1\nc:1\n\n12345678\0";
    for piece in 1..=stream.len() {
        let found = frames(Codec::new(limits).with_version(Version::V1_2), stream, piece).unwrap();
        assert_eq!((found[0].headers.len(), found[0].body.len()), (3, 8));
    }
}

#[test]
fn a_message_that_cannot_be_read_names_its_subscription() {
    use Flaw::{Malformed, TooLarge};
    let cases = [
        ("content-length:9\n\n", TooLarge),
        ("\n123456789", TooLarge),
        ("a:1\nb:1\nc:1\nd:1\n", TooLarge),
        ("a:1234567890123456789012345678901", TooLarge),
        ("a:1234567890123456789012345678901\n", TooLarge),
        ("a:\\t\n", Malformed),
        ("no colon\n", Malformed),
        ("content-length:x\n\n", Malformed),
        ("content-length:1\n\nab\0", Malformed),
    ];
    for (rest, flaw) in cases {
        for (command, named) in [("MESSAGE", Some("s")), ("RECEIPT", None)] {
            let mut stream =
                BytesMut::from(format!("{command}\nsubscription:s\n{rest}").as_bytes());
            let mut codec = Codec::new(limits(4, 31, 8)).with_version(Version::V1_2);
            let error = codec.decode(&mut stream).unwrap_err();
            assert_eq!((error.flaw(), error.subscription()), (flaw, named), "{rest:?}");
        }
    }
}

#[test]
fn a_message_that_is_cut_off_is_no_fault_of_its_subscription() {
    let mut stream = BytesMut::from("MESSAGE\nsubscription:s\na:1");
    let error = codec(Version::V1_2).decode_eof(&mut stream).unwrap_err();
    assert_eq!((error.flaw(), error.subscription()), (Flaw::Malformed, None));
}

#[test]
fn what_cannot_be_said_leaves_no_bytes() {
    let limits = limits(4, 16, 8);
    let send = || Frame::new(Command::Send);
    let cases = [
        (send().with("", "x"), Flaw::Unsayable),
        (send().with("a", "x\0"), Flaw::Unsayable),
        (Frame::new(Command::Connect).with("passcode", "x\nadmin:1"), Flaw::Unsayable),
        (Frame::new(Command::Connect).with("a:b", "x"), Flaw::Unsayable),
        (send().with("a", "123456789012345"), Flaw::TooLarge),
        (send().with("a", "::::::::"), Flaw::TooLarge),
        (send().with("a", "").with("b", "").with("c", ""), Flaw::TooLarge),
        (Frame { body: Bytes::from_static(b"123456789"), ..send() }, Flaw::TooLarge),
    ];
    for (frame, flaw) in cases {
        let mut bytes = BytesMut::from(&b"before"[..]);
        let mut codec = Codec::new(limits).with_version(Version::V1_2);
        let error = codec.encode(&frame, &mut bytes).unwrap_err();
        assert_eq!(error.flaw(), flaw, "{frame:?}");
        assert_eq!(&bytes[..], b"before");
    }
}

#[test]
fn a_passcode_is_not_shown() {
    let connect = Frame::new(Command::Connect).with("passcode", "secret");
    assert!(!format!("{connect:?}").contains("secret"));
}

fn versions() -> impl Strategy<Value = Version> {
    prop::sample::select(&Version::ALL[..])
}

/// What every version can say.
fn plain_text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 /\\\\äß€-]{1,12}"
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![plain_text(), "[a:\\\\\n\r]{0,8}"]
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let header = (any_text().prop_map(|name| format!("n{name}")), any_text());
    let headers = prop::collection::vec(header, 0..6);
    let body = prop::collection::vec(any::<u8>(), 0..40);
    (prop::sample::select(Command::ALL), headers, body).prop_map(|(command, headers, body)| {
        let headers = headers.iter().map(|(name, value)| (name, value)).collect();
        Frame { command, headers, body: body.into() }
    })
}

/// As the other side sees it: with its length, if that was said.
fn with_length(frame: &Frame) -> Frame {
    let mut seen = frame.clone();
    if frame.command == Command::Send || !frame.body.is_empty() {
        seen.headers.push("content-length", &frame.body.len().to_string());
    }
    seen
}

proptest! {
    #[test]
    fn frames_survive_in_whatever_pieces(
        all in prop::collection::vec(any_frame(), 1..5),
        version in versions(),
        piece in 1usize..64,
        beats in "(\n|\r\n){0,3}",
    ) {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for frame in &all {
            // What cannot be said in this version is refused, never said wrongly.
            if let Ok(bytes) = bytes_of(version, frame) {
                if version == Version::V1_2 {
                    stream.extend_from_slice(beats.as_bytes());
                }
                stream.extend(bytes);
                expected.push(with_length(frame));
            }
        }
        prop_assert_eq!(frames(codec(version), &stream, piece), Ok(expected.clone()));
        prop_assert_eq!(frames(codec(version), &stream, 1), Ok(expected));
    }

    #[test]
    fn any_bytes_come_to_the_same_in_whatever_pieces(
        stream in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(&b"\n\n\0:\\\rMESSAGEcontent-length:123"[..])],
            0..200,
        ),
        head in prop::sample::select(&["", "MESSAGE\n", "SEND\ncontent-length:5\n", "\n\nERROR\na:b\n\n"][..]),
        version in prop::option::of(versions()),
        piece in 1usize..32,
    ) {
        let limits = limits(4, 32, 64);
        let fresh = || Codec { version, ..Codec::new(limits) };
        let stream = [head.as_bytes(), &stream].concat();
        let whole = frames(fresh(), &stream, stream.len().max(1));
        prop_assert_eq!(&frames(fresh(), &stream, piece), &whole);
        prop_assert_eq!(&frames(fresh(), &stream, 1), &whole);
    }

    #[test]
    fn what_is_read_can_be_written_and_read_again(frame in any_frame(), version in versions()) {
        let Ok(bytes) = bytes_of(version, &frame) else { return Ok(()) };
        let read = frames(codec(version), &bytes, 7).unwrap().remove(0);
        let again = bytes_of(version, &read).unwrap();
        prop_assert_eq!(frames(codec(version), &again, 3).unwrap().remove(0), read);
    }
}

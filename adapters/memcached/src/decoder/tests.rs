//! Answers: understood, refused, in pieces, and out of nothing.

use super::*;
use proptest::prelude::*;

const VALUE_BYTES_MAX: usize = 10_000;

/// All answers in the bytes, and the error where they end with one.
fn decode(pieces: &[&[u8]]) -> (Vec<Answer>, Option<Error>) {
    let (mut decoder, mut input) = (Decoder::new(VALUE_BYTES_MAX), BytesMut::new());
    let mut answers = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(error) => return (answers, Some(error)),
            }
        }
    }
    (answers, None)
}

fn value(key: &str, flags: u32, cas: Option<u64>, data: &[u8]) -> Answer {
    let key = Bytes::copy_from_slice(key.as_bytes());
    Answer::Value(Found { key, flags, cas, data: Bytes::copy_from_slice(data) })
}

#[test]
fn every_answer() {
    let text = |text: &str| text.to_owned();
    let cases = [
        ("STORED\r\n", Answer::Stored),
        ("NOT_STORED\r\n", Answer::NotStored),
        ("EXISTS\r\n", Answer::Exists),
        ("NOT_FOUND\r\n", Answer::NotFound),
        ("DELETED\r\n", Answer::Deleted),
        ("TOUCHED\r\n", Answer::Touched),
        ("OK\r\n", Answer::Done),
        ("RESET\r\n", Answer::Reset),
        ("END\r\n", Answer::End),
        ("18446744073709551615\r\n", Answer::Number(u64::MAX)),
        ("VERSION 1.6.18\r\n", Answer::Version(text("1.6.18"))),
        ("STAT pid 7\r\n", Answer::Stat(text("pid"), text("7"))),
        ("STAT a b c\r\n", Answer::Stat(text("a"), text("b c"))),
        ("STAT empty\r\n", Answer::Stat(text("empty"), text(""))),
        ("VALUE k 7 2\r\n\r\n\r\n", value("k", 7, None, b"\r\n")),
        ("VALUE k 4294967295 0 9\r\n\r\n", value("k", u32::MAX, Some(9), b"")),
    ];
    for (bytes, answer) in cases {
        let (answers, error) = decode(&[bytes.as_bytes()]);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(answers, [answer], "{bytes:?}");
        assert!(decode(&[&bytes.as_bytes()[..bytes.len() - 1]]).0.is_empty(), "{bytes:?}");
    }
}

#[test]
fn what_is_not_an_answer() {
    let cases = [
        "stored\r\n",
        "STORED \r\n",
        "STORED\n",
        "\r\n",
        "VALUE\r\n",
        "VALUE \r\n",
        "VALUE k\r\n",
        "VALUE k 1\r\n",
        "VALUE  k 1 1\r\n",
        "VALUE k 1 1 \r\n",
        "VALUE k 1 1 1 1\r\n",
        "VALUE k -1 1\r\n",
        "VALUE k +1 1\r\n",
        "VALUE k 4294967296 1\r\n",
        "VALUE k 0 18446744073709551616\r\n",
        "VALUE k 0 1\r\nvv\r\n",
        "VALUE k 0 1\r\nv\n\r",
        "18446744073709551616\r\n",
        "1 \r\n",
        "VERSION\r\n",
        "\x16\x03\x01\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
    ];
    for bytes in cases {
        let (answers, error) = decode(&[bytes.as_bytes()]);
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Protocol), "{bytes:?}");
        assert!(answers.is_empty());
    }
}

#[test]
fn what_is_too_long_is_refused_before_it_comes() {
    for length in ["10001", "1048577", "4294967296", "18446744073709551615"] {
        let line = format!("VALUE k 0 {length}\r\n");
        let error = decode(&[line.as_bytes()]).1.unwrap();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{length}");
        assert!(error.to_string().contains(length), "{error}");
    }
    assert!(decode(&[b"VALUE k 0 10000\r\n"]).1.is_none());
    assert!(decode(&[&[b'x'; 2048]]).1.is_none());
    assert_eq!(decode(&[&[b'x'; 2049]]).1.unwrap().kind(), ErrorKind::Protocol);
}

fn bytes_of(answer: &Answer) -> Vec<u8> {
    match answer {
        Answer::Value(Found { key, flags, cas, data }) => {
            let key = std::str::from_utf8(key).unwrap();
            let cas = cas.map_or_else(String::new, |cas| format!(" {cas}"));
            let head = format!("VALUE {key} {flags} {}{cas}\r\n", data.len());
            [head.as_bytes(), data, b"\r\n"].concat()
        }
        Answer::Number(number) => format!("{number}\r\n").into(),
        Answer::Stat(name, value) => format!("STAT {name} {value}\r\n").into(),
        Answer::Stored => b"STORED\r\n".to_vec(),
        _ => b"END\r\n".to_vec(),
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    let data = proptest::collection::vec(any::<u8>(), 0..6000);
    prop_oneof![
        Just(Answer::Stored),
        Just(Answer::End),
        any::<u64>().prop_map(Answer::Number),
        ("[a-z]{1,9}", "[a-z ]{0,9}").prop_map(|(name, value)| Answer::Stat(name, value)),
        ("[!-~]{1,250}", any::<u32>(), any::<Option<u64>>(), data)
            .prop_map(|(key, flags, cas, data)| value(&key, flags, cas, &data)),
    ]
}

proptest! {
    #[test]
    fn answers_in_any_pieces_are_the_same(
        expected in proptest::collection::vec(answers(), 0..8),
        size in 1..3000_usize,
    ) {
        let bytes: Vec<u8> = expected.iter().flat_map(bytes_of).collect();
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        let (answers, error) = decode(&pieces);
        prop_assert!(error.is_none(), "{error:?}");
        prop_assert_eq!(answers, expected);
    }

    #[test]
    fn any_bytes_are_answers_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..3000),
        prefix in "(VALUE |STAT |VERSION |SERVER_ERROR |[0-9]{1,30}|)",
        size in 1..3000_usize,
    ) {
        let bytes = [prefix.as_bytes(), &bytes].concat();
        let whole = decode(&[&bytes]);
        let pieces = decode(&bytes.chunks(size).collect::<Vec<_>>());
        prop_assert_eq!(whole.0, pieces.0);
        let kind = |error: Option<Error>| error.map(|error| error.kind());
        prop_assert_eq!(kind(whole.1), kind(pieces.1));
    }
}

//! What frames a WebSocket server answers, and how: cases after the Autobahn test suite.

use crate::websocket_peer::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, code, frames, masked, open, plain,
};
use futures_util::future::join_all;
use std::time::Duration;
use workyard_worker::{Address, Worker, embedded::serve_while, protocols::WebSocket};

/// What is sent to a server that echoes, and all that it sends until it ends the connection.
struct Case {
    name: String,
    sent: Vec<Vec<u8>>,
    seen: Vec<(u8, Vec<u8>)>,
}

/// The longest message here.
const BYTES_MAX: usize = 1000;

const NO_CODE: Vec<u8> = Vec::new();

fn bytes(code: u16) -> Vec<u8> {
    code.to_be_bytes().to_vec()
}

/// The connection goes on, and is then closed by its peer.
fn good(name: &str, sent: Vec<Vec<u8>>, echoed: Vec<(u8, &[u8])>) -> Case {
    let close = masked(FIN | CLOSE, bytes(1000));
    let mut seen: Vec<_> = echoed.into_iter().map(|(it, held)| (FIN | it, held.to_vec())).collect();
    seen.push((FIN | CLOSE, bytes(1000)));
    Case { name: name.to_owned(), sent: [sent, vec![close]].concat(), seen }
}

/// The server ends the connection with this code. What is behind the fault is not looked at.
fn bad(name: &str, sent: Vec<Vec<u8>>, code: u16) -> Case {
    Case { name: name.to_owned(), sent, seen: vec![(FIN | CLOSE, bytes(code))] }
}

fn messages() -> Vec<Case> {
    let (long, longest) = ([b'*'; 126], [b'*'; BYTES_MAX]);
    vec![
        good("empty text", vec![masked(FIN | TEXT, "")], vec![(TEXT, b"")]),
        good("empty bytes", vec![masked(FIN | BINARY, "")], vec![(BINARY, b"")]),
        good("125 bytes", vec![masked(FIN | TEXT, &long[..125])], vec![(TEXT, &long[..125])]),
        good("126 bytes", vec![masked(FIN | TEXT, long)], vec![(TEXT, &long)]),
        good("as long as allowed", vec![masked(FIN | BINARY, longest)], vec![(BINARY, &longest)]),
        good(
            "two at once",
            vec![[masked(FIN | TEXT, "a"), masked(FIN | BINARY, "b")].concat()],
            vec![(TEXT, b"a"), (BINARY, b"b")],
        ),
        bad("too long", vec![masked(FIN | TEXT, [b'*'; BYTES_MAX + 1])], 1009),
        bad(
            "far too long",
            vec![vec![FIN | BINARY, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255]],
            1009,
        ),
        bad(
            "a negative length",
            vec![vec![FIN | BINARY, 0xff, 255, 255, 255, 255, 255, 255, 255, 255]],
            1009,
        ),
        bad("a length in too many bytes", vec![vec![FIN | TEXT, 0xfe, 0, 5, 0, 0, 0, 0]], 1002),
        bad("the same of 8", vec![vec![FIN | TEXT, 0xff, 0, 0, 0, 0, 0, 0, 255, 255]], 1002),
        bad("not masked", vec![plain(FIN | TEXT, "abc")], 1002),
        bad("empty and not masked", vec![plain(FIN | PING, "")], 1002),
    ]
}

fn controls() -> Vec<Case> {
    let longest = [0xfe; 125];
    let ten = |frame: Vec<u8>| vec![frame.repeat(10)];
    vec![
        good("ping", vec![masked(FIN | PING, "")], vec![(PONG, b"")]),
        good("ping with bytes", vec![masked(FIN | PING, longest)], vec![(PONG, &longest)]),
        good("ten pings", ten(masked(FIN | PING, "x")), [(PONG, &b"x"[..]); 10].to_vec()),
        good("pong that nobody asked for", vec![masked(FIN | PONG, "x")], vec![]),
        bad("ping too long", vec![masked(FIN | PING, [0; 126])], 1002),
        bad("pong too long", vec![masked(FIN | PONG, [0; 126])], 1002),
        bad("ping in fragments", vec![masked(PING, "x"), masked(FIN | CONTINUATION, "y")], 1002),
        bad("close in fragments", vec![masked(CLOSE, bytes(1000))], 1002),
    ]
}

fn fragments() -> Vec<Case> {
    let part = |held: &str| masked(CONTINUATION, held);
    let last = |held: &str| masked(FIN | CONTINUATION, held);
    vec![
        good("two", vec![masked(TEXT, "ab"), last("cd")], vec![(TEXT, b"abcd")]),
        good("empty ones", vec![masked(TEXT, ""), part(""), last("")], vec![(TEXT, b"")]),
        good("an empty last", vec![masked(BINARY, "a"), last("")], vec![(BINARY, b"a")]),
        good(
            "ping between",
            vec![
                masked(TEXT, "a"),
                masked(FIN | PING, "p"),
                part("b"),
                masked(FIN | PONG, ""),
                last("c"),
            ],
            vec![(PONG, b"p"), (TEXT, b"abc")],
        ),
        good(
            "two messages",
            vec![
                masked(TEXT, "a"),
                last("b"),
                masked(BINARY, "c"),
                last("d"),
                masked(FIN | TEXT, "e"),
            ],
            vec![(TEXT, b"ab"), (BINARY, b"cd"), (TEXT, b"e")],
        ),
        bad("nothing to continue", vec![last("a")], 1002),
        bad("nothing to continue yet", vec![part("a")], 1002),
        Case {
            name: "nothing more to continue".to_owned(),
            sent: vec![masked(TEXT, "a"), last("b"), last("c")],
            seen: vec![(FIN | TEXT, b"ab".to_vec()), (FIN | CLOSE, bytes(1002))],
        },
        bad("a message within another", vec![masked(TEXT, "a"), masked(FIN | TEXT, "b")], 1002),
        bad("the same in fragments", vec![masked(TEXT, "a"), masked(BINARY, "b")], 1002),
        bad(
            "too long together",
            vec![masked(BINARY, [0; BYTES_MAX - 10]), masked(CONTINUATION, [0; 11])],
            1009,
        ),
    ]
}

fn reserved() -> Vec<Case> {
    let bits = [0x40, 0x20, 0x10, 0x70];
    let bits = bits.map(|bits| bad("reserved bit", vec![masked(FIN | bits | TEXT, "a")], 1002));
    let opcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].into_iter();
    let opcodes = opcodes.map(|it| bad("reserved opcode", vec![masked(FIN | it, "")], 1002));
    let control = bad("reserved bit of a ping", vec![masked(FIN | 0x40 | PING, "")], 1002);
    bits.into_iter().chain(opcodes).chain([control]).collect()
}

fn texts() -> Vec<Case> {
    let text = "κόσμε 🦀 \u{10ffff}\u{0}";
    let whole = good(
        "all lengths of letters",
        vec![masked(FIN | TEXT, text)],
        vec![(TEXT, text.as_bytes())],
    );
    let mut pieces: Vec<_> = text.bytes().map(|byte| masked(CONTINUATION, [byte])).collect();
    pieces[0][0] = TEXT;
    pieces.push(masked(FIN | CONTINUATION, ""));
    let cut = good("letters cut apart", pieces, vec![(TEXT, text.as_bytes())]);
    let invalid: [&[u8]; 8] = [
        b"\xff",
        b"a\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xce",
        b"ab\xf0\x9f\xa6",
    ];
    let invalid = invalid.map(|it| bad("no UTF-8", vec![masked(FIN | TEXT, it)], 1007));
    vec![
        whole,
        cut,
        good("bytes may be anything", vec![masked(FIN | BINARY, b"\xff")], vec![(BINARY, b"\xff")]),
        bad(
            "known before the message ends",
            vec![masked(TEXT, "ab\u{7f}"), masked(CONTINUATION, b"\xff")],
            1007,
        ),
        bad(
            "known before the frame ends",
            vec![masked(FIN | TEXT, b"abc\xff____")[..10].to_vec()],
            1007,
        ),
        bad(
            "a letter cut off by the end",
            vec![masked(TEXT, b"a\xce"), masked(FIN | CONTINUATION, "")],
            1007,
        ),
        bad(
            "a letter continued wrongly",
            vec![masked(TEXT, b"\xce"), masked(FIN | CONTINUATION, "a")],
            1007,
        ),
    ]
    .into_iter()
    .chain(invalid)
    .collect()
}

fn closings() -> Vec<Case> {
    let closed = |name: &str, held: Vec<u8>, answered: Vec<u8>| Case {
        name: format!("close {name}"),
        sent: vec![masked(FIN | CLOSE, held), masked(FIN | TEXT, "too late")],
        seen: vec![(FIN | CLOSE, answered)],
    };
    let valid =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
    let valid = valid.map(|it| closed(&it.to_string(), code(it, "why"), bytes(it)));
    let invalid = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];
    let invalid = invalid.map(|it| closed(&it.to_string(), code(it, "why"), bytes(1002)));
    vec![
        closed("without a code", NO_CODE, NO_CODE),
        closed("of one byte", vec![3], bytes(1002)),
        closed("with the longest reason", code(1000, &"*".repeat(123)), bytes(1000)),
        closed("with a longer reason", code(1000, &"*".repeat(124)), bytes(1002)),
        closed("with a reason that is no UTF-8", [&bytes(1000)[..], b"\xff"].concat(), bytes(1007)),
        Case {
            name: "close within a message".to_owned(),
            sent: vec![masked(TEXT, "a"), masked(FIN | CLOSE, NO_CODE)],
            seen: vec![(FIN | CLOSE, NO_CODE)],
        },
    ]
    .into_iter()
    .chain(valid)
    .chain(invalid)
    .collect()
}

/// Runs a case, in pieces of one byte if so.
async fn run(address: &Address, case: &Case, is_cut: bool) {
    let mut peer = open(address).await;
    if is_cut {
        for byte in case.sent.concat() {
            peer.try_send([byte]).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    } else {
        for piece in &case.sent {
            peer.try_send(piece).await;
        }
    }
    let seen = frames(&peer.rest().await);
    assert_eq!(seen, case.seen, "{}, cut: {is_cut}", case.name);
}

#[test]
fn frames_are_answered_as_the_protocol_says() {
    let echo = Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .package_bytes_max(BYTES_MAX)
        .on_message(async |connection, message| connection.send(message));
    let served = serve_while(echo, async |address| {
        let all = [messages(), controls(), fragments(), reserved(), texts(), closings()];
        let cases: Vec<_> = all.into_iter().flatten().collect();
        assert!(cases.len() > 80, "{}", cases.len());
        join_all(cases.iter().map(|case| run(&address, case, false))).await;
        join_all(cases.iter().map(|case| run(&address, case, true))).await;
    });
    served.unwrap();
}

#[test]
fn messages_of_every_length_come_back() {
    let echo = Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .on_message(async |connection, message| connection.send(message));
    let served = serve_while(echo, async |address| {
        let mut peer = open(&address).await;
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 300_000, 1 << 20] {
            let message: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            peer.send(masked(FIN | BINARY, &message)).await;
            peer.sees(plain(FIN | BINARY, &message)).await;
            let text = "ä".repeat(length / 2);
            peer.send(masked(FIN | TEXT, &text)).await;
            peer.sees(plain(FIN | TEXT, &text)).await;
        }
    });
    served.unwrap();
}

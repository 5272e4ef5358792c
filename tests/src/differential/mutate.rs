//! Texts with a few small things wrong.

use fastrand::Rng;

const MUTATIONS_MAX: usize = 3;
/// What stands for something in a text, or nearly.
const PIECES: [&[u8]; 40] = [
    b"N;",
    b"b:1;",
    b"b:2;",
    b"i:0;",
    b"i:-0;",
    b"i:;",
    b"d:.5;",
    b"d:1e;",
    b"d:INF;",
    b"d:-NAN;",
    b"s:1:\"a\";",
    b"s:2:\"a\";",
    b"S:1:\"\\61\";",
    b"a:0:{}",
    b"a:1:{i:0;N;}",
    b"O:3:\"Foo\":0:{}",
    b"O:8:\"stdClass\":0:{}",
    b"C:3:\"Foo\":1:{a}",
    b"E:3:\"A:b\";",
    b"R:1;",
    b"R:2;",
    b"r:1;",
    b"r:3;",
    b"R:0;",
    b"r:-1;",
    b"{",
    b"}",
    b";",
    b":",
    b"\"",
    b"0",
    b"1",
    b"+",
    b"-",
    b" ",
    b"\0",
    b"4294967296",
    b"18446744073709551617",
    b"2147483648",
    b"99999",
];
const TYPES: &[u8] = b"NbidsSaOCERrxo";

/// Changes a text a little, a few times.
pub(super) fn mutate(rng: &mut Rng, text: &mut Vec<u8>) {
    for _ in 0..1 + rng.usize(..MUTATIONS_MAX) {
        once(rng, text);
    }
}

fn once(rng: &mut Rng, text: &mut Vec<u8>) {
    let at = rng.usize(..=text.len());
    let end = (at + 1 + rng.usize(..8)).min(text.len());
    match rng.u8(..12) {
        0 if at < text.len() => text[at] = rng.u8(..),
        1 => drop(text.drain(at..end)),
        2 => text.truncate(at),
        3 => {
            let again = text[at..end].to_vec();
            text.splice(at..at, again);
        }
        4 => {
            let from = rng.usize(..=text.len());
            let moved = text[at..end].to_vec();
            text.splice(from..from, moved);
        }
        5 | 6 => change_digit(rng, text),
        7 => change_type(rng, text),
        8 => {
            let piece = PIECES[rng.usize(..PIECES.len())];
            text.splice(at..end, piece.iter().copied());
        }
        _ => {
            // Where one value ends and the next begins.
            let ends: Vec<usize> = positions(text, |byte| matches!(byte, b';' | b'{' | b'}'));
            if let Some(at) = pick(rng, &ends) {
                let piece = PIECES[rng.usize(..PIECES.len())];
                text.splice(at + 1..at + 1, piece.iter().copied());
            }
        }
    }
}

/// One more or less of something.
fn change_digit(rng: &mut Rng, text: &mut [u8]) {
    let digits = positions(text, |byte| byte.is_ascii_digit());
    if let Some(at) = pick(rng, &digits) {
        text[at] = match (rng.u8(..3), text[at]) {
            (0, digit @ b'0'..=b'8') => digit + 1,
            (1, digit @ b'1'..=b'9') => digit - 1,
            _ => rng.u8(b'0'..=b'9'),
        };
    }
}

fn change_type(rng: &mut Rng, text: &mut [u8]) {
    let types = positions(text, |byte| TYPES.contains(&byte));
    if let Some(at) = pick(rng, &types) {
        text[at] = TYPES[rng.usize(..TYPES.len())];
    }
}

fn positions(text: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<usize> {
    text.iter().enumerate().filter(|(_, byte)| wanted(**byte)).map(|(at, _)| at).collect()
}

fn pick(rng: &mut Rng, positions: &[usize]) -> Option<usize> {
    (!positions.is_empty()).then(|| positions[rng.usize(..positions.len())])
}

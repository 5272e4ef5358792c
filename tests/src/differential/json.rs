//! JSON texts, made up.

use fastrand::Rng;

const NODES_MAX: usize = 30;
const SCALARS: [&str; 30] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-17",
    "0.5",
    "-0.0",
    "1e3",
    "1E-5",
    "1.0",
    "1e400",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    "\"\"",
    "\"a\"",
    "\"5\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u0000\"",
    "\"\\n\\/\\\\\\\"\"",
    "\"广播\"",
    "\"\\ud800\"",
    "01",
];
const KEYS: [&str; 10] = [
    "\"a\"",
    "\"b\"",
    "\"\"",
    "\"5\"",
    "\"05\"",
    "\"-5\"",
    "\"\\u0061\"",
    "\"\\u0000a\"",
    "\"广播\"",
    "\"9223372036854775808\"",
];
const SPACES: [&str; 6] = ["", "", "", " ", "\n", "\t \r"];

/// Makes one text, which is nearly always valid.
pub(super) fn text(rng: &mut Rng) -> Vec<u8> {
    let mut out = String::new();
    if rng.u16(..2000) == 0 {
        let levels = rng.usize(505..516);
        return ["[".repeat(levels), "]".repeat(levels)].concat().into_bytes();
    }
    let mut nodes = rng.usize(..NODES_MAX);
    value(rng, &mut nodes, &mut out);
    out.into_bytes()
}

fn value(rng: &mut Rng, nodes: &mut usize, out: &mut String) {
    let kind = rng.u8(..10);
    space(rng, out);
    if *nodes == 0 || kind < 4 {
        // The last two are not valid.
        let most = if rng.u8(..50) == 0 { SCALARS.len() } else { SCALARS.len() - 2 };
        match kind {
            0 => out.push_str(&f64::from_bits(rng.u64(..) >> 2).to_string()),
            1 => out.push_str(&rng.i64(..).to_string()),
            _ => out.push_str(SCALARS[rng.usize(..most)]),
        }
        return space(rng, out);
    }
    *nodes -= 1;
    let count = rng.usize(..=(*nodes).min(6));
    let is_list = rng.bool();
    out.push(if is_list { '[' } else { '{' });
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        if !is_list {
            space(rng, out);
            out.push_str(KEYS[rng.usize(..KEYS.len())]);
            space(rng, out);
            out.push(':');
        }
        value(rng, nodes, out);
    }
    space(rng, out);
    out.push(if is_list { ']' } else { '}' });
    space(rng, out);
}

fn space(rng: &mut Rng, out: &mut String) {
    out.push_str(SPACES[rng.usize(..SPACES.len())]);
}

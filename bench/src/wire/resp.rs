//! RESP2, the syntax of Redis: commands as arrays of strings, and how long a reply is.

use super::{line, malformed, number};
use std::io;

/// Appends a command.
pub(super) fn command(words: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Length of the reply at the start of `input`, or nothing while it is incomplete.
pub(super) fn reply_bytes(input: &[u8]) -> io::Result<Option<usize>> {
    let Some((head, head_bytes)) = line(input) else {
        return Ok(None);
    };
    match head {
        [b'+' | b':', ..] | b"$-1" | b"*-1" => Ok(Some(head_bytes)),
        [b'$', digits @ ..] => {
            let body = number(digits).ok_or_else(|| malformed("redis", input))? as usize;
            let whole = head_bytes + body + 2;
            Ok((input.len() >= whole).then_some(whole))
        }
        [b'*', digits @ ..] => {
            let count = number(digits).ok_or_else(|| malformed("redis", input))?;
            let mut whole = head_bytes;
            for _ in 0..count {
                match reply_bytes(&input[whole..])? {
                    Some(part) => whole += part,
                    None => return Ok(None),
                }
            }
            Ok(Some(whole))
        }
        _ => Err(malformed("redis", input)),
    }
}

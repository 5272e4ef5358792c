//! Bytes as vectors and documents write them: groups of hex, `61*4096` for repetition.

/// Reads the notation.
pub(crate) fn bytes(notation: &str) -> Vec<u8> {
    notation.split_whitespace().flat_map(group).collect()
}

fn group(group: &str) -> Vec<u8> {
    match group.split_once('*') {
        None => plain(group),
        Some((piece, times)) => plain(piece).repeat(times.parse().expect("a count after `*`")),
    }
}

fn plain(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "half a byte in {digits:?}");
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16);
    (0..digits.len()).step_by(2).map(|at| byte(at).expect("hex digits")).collect()
}

/// Writes bytes as plain hex, for messages.
pub(crate) fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

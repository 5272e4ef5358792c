//! What the wires of workerman/channel and workerman/globaldata share: PHP-serialized arrays in
//! frames that begin with their length.

use super::invalid;
use std::io;

/// Appends a string.
pub(super) fn string(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("s:{}:\"", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\";");
}

/// The error of a frame that is not what was waited for.
pub(super) fn unexpected(frame: &[u8]) -> io::Error {
    let start = String::from_utf8_lossy(&frame[..frame.len().min(100)]);
    invalid(format!("unexpected workerman frame: {start:?}"))
}

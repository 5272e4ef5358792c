//! Every bound of a connection, each with its unit last.

use std::time::Duration;
use workyard_protocol::limits::{HEADER_BYTES_MAX, LIST_ITEMS_MAX};

/// Most commands that wait to be taken by the connection, unless configured otherwise.
pub const COMMANDS_MAX: usize = 4096;

/// Most requests that wait for their replies; further ones stay in the command queue.
pub const IN_FLIGHT_MAX: usize = 65_536;

/// Most commands taken between two looks at the socket.
pub const TURN_COMMANDS_MAX: usize = 256;

/// Events kept for a receiver that is slow to take them.
pub const EVENTS_MAX: usize = 256;

/// What is kept of a frame is copied up to this size: a few bytes must not keep all in memory that
/// was received with them.
pub const COPIED_BYTES_MAX: usize = 4 * 1024;

/// Size of one read.
pub const READ_BYTES: usize = 64 * 1024;

/// Above this many bytes that the socket did not take yet, no further command is taken.
pub const WRITE_BUFFER_BYTES_MAX: usize = 256 * 1024;

/// A request above this size counts towards [`LARGE_BODIES_BYTES_MAX`] while it waits.
pub const LARGE_BODY_BYTES: usize = 16 * 1024;

/// Most bytes of large requests that wait to be taken by the connection.
pub const LARGE_BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest wait that a server may ask for before the client connects again.
pub const RECONNECT_AFTER_MAX: Duration = Duration::from_secs(600);

/// How long one attempt to connect may take, the hello included, unless configured otherwise.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call waits for its answer, unless configured otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// What the length of a name counts in a header, however short it comes.
pub const LENGTH_BYTES: usize = size_of::<u64>();

/// Checks a list that a request's header is to hold: one that is too long would cost the connection.
/// `bytes` is the sum of what `count` items count there, and of what the header holds beside them.
///
/// # Errors
/// What is wrong with it, calling the items `what`.
pub fn check_header(what: &str, count: usize, bytes: usize) -> Result<(), String> {
    match count > LIST_ITEMS_MAX || bytes > HEADER_BYTES_MAX - LENGTH_BYTES {
        true => Err(format!(
            "{count} {what}, {bytes} bytes with their names, are too many at once: the limits are \
             {LIST_ITEMS_MAX} and {HEADER_BYTES_MAX}"
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_full_when_one_of_its_limits_is_reached() {
        let room = HEADER_BYTES_MAX - LENGTH_BYTES;
        assert_eq!(check_header("keys", LIST_ITEMS_MAX, room), Ok(()));
        let error = check_header("keys", LIST_ITEMS_MAX + 1, 0).unwrap_err();
        assert!(error.starts_with("16385 keys, 0 bytes"), "{error}");
        assert!(check_header("keys", 1, room + 1).is_err());
    }
}

//! Every bound of this client beyond those of its connections, each with its unit last.

use crate::error::Error;
use std::time::Duration;
use workyard_protocol::limits::{HEADER_BYTES_MAX, LIST_ITEMS_MAX};

/// How often [`update`](crate::GlobalDataClient::update) tries before it gives up.
pub const UPDATE_ATTEMPTS_MAX: u32 = 64;

/// The longest wait before the second attempt of an update; it doubles with every further one.
pub const UPDATE_WAIT_FIRST: Duration = Duration::from_micros(500);

/// The longest wait between two attempts of an update.
pub const UPDATE_WAIT_MAX: Duration = Duration::from_millis(50);

/// What the length of a key counts in a header, however short it comes.
pub(crate) const LENGTH_BYTES: usize = size_of::<u64>();

/// A header that is too long would cost the connection.
pub(crate) fn check_header(what: &str, count: usize, bytes: usize) -> Result<(), Error> {
    match count > LIST_ITEMS_MAX || bytes > HEADER_BYTES_MAX - LENGTH_BYTES {
        true => Err(Error::InvalidArgument(format!(
            "{count} {what}, {bytes} bytes with their keys, are too many at once: the limits are \
             {LIST_ITEMS_MAX} and {HEADER_BYTES_MAX}"
        ))),
        false => Ok(()),
    }
}

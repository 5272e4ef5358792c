//! How long something is kept, as the protocol says it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use workyard_adapter_kit::{Error, ErrorKind};

/// Servers take a number above this for a date.
const RELATIVE_SECONDS_MAX: u64 = 60 * 60 * 24 * 30;
/// The last date that servers tell from others: 2038-01-19. They cut what is above without a word.
const DATE_MAX: u64 = 0x7fff_ffff;

/// The number for a ttl: zero keeps for ever, parts of a second count as a whole one, and more than 30 days
/// become a date, by the clock of this machine.
pub(crate) fn expiry(ttl: Duration) -> Result<u64, Error> {
    at(ttl, SystemTime::now())
}

fn at(ttl: Duration, now: SystemTime) -> Result<u64, Error> {
    let seconds = ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0));
    if seconds <= RELATIVE_SECONDS_MAX {
        return Ok(seconds);
    }
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match now.saturating_add(seconds) {
        date @ ..=DATE_MAX => Ok(date),
        _ => {
            let message = format!(
                "a ttl of {seconds} s ends after 2038-01-19, which servers do not understand; \
                 Duration::ZERO keeps for ever"
            );
            Err(Error::new(ErrorKind::InvalidRequest, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_their_numbers() {
        const DAYS_30: u64 = 2_592_000;
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let seconds = |seconds| Duration::from_secs(seconds);
        let cases = [
            (Duration::ZERO, Some(0)),
            (Duration::from_nanos(1), Some(1)),
            (Duration::from_millis(1500), Some(2)),
            (seconds(1), Some(1)),
            (seconds(DAYS_30), Some(DAYS_30)),
            (seconds(DAYS_30) + Duration::from_nanos(1), Some(1_700_000_000 + DAYS_30 + 1)),
            (seconds(DAYS_30 * 12), Some(1_700_000_000 + DAYS_30 * 12)),
            (seconds(0x7fff_ffff - 1_700_000_000), Some(0x7fff_ffff)),
            (seconds(0x7fff_ffff - 1_700_000_000 + 1), None),
            (Duration::MAX, None),
        ];
        for (ttl, expected) in cases {
            assert_eq!(at(ttl, now).ok(), expected, "{ttl:?}");
        }
        assert_eq!(at(Duration::MAX, now).unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
}

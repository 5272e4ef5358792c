//! Lifetimes, parsed once at the edge: whole milliseconds, at least one, bounded above.

use crate::limits::TTL_MS_MAX;
use std::time::Duration;

/// How long a variable lives: 1 to [`TTL_MS_MAX`] milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ttl(u64);

/// A lifetime of no time, or longer than [`TTL_MS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ttl of {millis} ms is not in 1 to {TTL_MS_MAX}, ten years: what lives longer has none")]
pub struct TtlError {
    /// How long it was, in milliseconds.
    pub millis: u64,
}

impl Ttl {
    /// A lifetime by its milliseconds.
    ///
    /// # Errors
    /// When they are 0, or more than [`TTL_MS_MAX`].
    pub fn from_millis(millis: u64) -> Result<Self, TtlError> {
        if (1..=TTL_MS_MAX).contains(&millis) { Ok(Self(millis)) } else { Err(TtlError { millis }) }
    }

    /// Its milliseconds.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        self.0
    }
}

impl TryFrom<Duration> for Ttl {
    type Error = TtlError;

    /// Begun milliseconds count as whole ones, so that nothing lives shorter than asked for.
    fn try_from(duration: Duration) -> Result<Self, TtlError> {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

impl From<Ttl> for Duration {
    fn from(ttl: Ttl) -> Self {
        Self::from_millis(ttl.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_at_least_a_millisecond_and_at_most_ten_years() {
        for (duration, expected) in [
            (Duration::ZERO, None),
            (Duration::from_nanos(1), Some(1)),
            (Duration::from_millis(1), Some(1)),
            (Duration::from_micros(1001), Some(2)),
            (Duration::from_millis(TTL_MS_MAX), Some(TTL_MS_MAX)),
            (Duration::from_millis(TTL_MS_MAX) + Duration::from_nanos(1), None),
            (Duration::MAX, None),
        ] {
            assert_eq!(Ttl::try_from(duration).ok().map(Ttl::as_millis), expected, "{duration:?}");
        }
        let error = Ttl::from_millis(0).unwrap_err().to_string();
        assert!(error.starts_with("a ttl of 0 ms is not in 1 to 315360000000"), "{error}");
    }
}

//! How long something is put off, parsed once at the edge: whole milliseconds, bounded above.

use crate::limits::DELAY_MS_MAX;
use std::time::Duration;

/// A time to wait: 0, which is none, to [`DELAY_MS_MAX`] milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Delay(u64);

/// A delay longer than [`DELAY_MS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delay of {millis} ms is above the limit of {DELAY_MS_MAX}, ten years")]
pub struct DelayError {
    /// How long it was, in milliseconds.
    pub millis: u64,
}

impl Delay {
    /// No time at all.
    pub const NONE: Self = Self(0);

    /// A delay by its milliseconds.
    ///
    /// # Errors
    /// When they are more than [`DELAY_MS_MAX`].
    pub fn from_millis(millis: u64) -> Result<Self, DelayError> {
        if millis <= DELAY_MS_MAX { Ok(Self(millis)) } else { Err(DelayError { millis }) }
    }

    /// Its milliseconds.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// The double, as far as it is no longer than `max`.
    #[must_use]
    pub fn doubled(self, max: Self) -> Self {
        Self(self.0.saturating_mul(2)).min(max)
    }
}

impl TryFrom<Duration> for Delay {
    type Error = DelayError;

    /// Begun milliseconds count as whole ones, so that nothing comes earlier than asked for.
    fn try_from(duration: Duration) -> Result<Self, DelayError> {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

impl From<Delay> for Duration {
    fn from(delay: Delay) -> Self {
        Self::from_millis(delay.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_whole_milliseconds_up_to_ten_years() {
        for (duration, expected) in [
            (Duration::ZERO, Some(0)),
            (Duration::from_nanos(1), Some(1)),
            (Duration::from_micros(1001), Some(2)),
            (Duration::from_millis(DELAY_MS_MAX), Some(DELAY_MS_MAX)),
            (Duration::from_millis(DELAY_MS_MAX) + Duration::from_nanos(1), None),
            (Duration::MAX, None),
        ] {
            let delay = Delay::try_from(duration).ok().map(Delay::as_millis);
            assert_eq!(delay, expected, "{duration:?}");
        }
        let error = Delay::from_millis(u64::MAX).unwrap_err().to_string();
        assert!(error.ends_with("ms is above the limit of 315360000000, ten years"), "{error}");
    }

    #[test]
    fn doubling_ends_at_the_longest() {
        let delay = |millis| Delay::from_millis(millis).unwrap();
        assert_eq!(delay(3).doubled(delay(10)), delay(6));
        assert_eq!(delay(6).doubled(delay(10)), delay(10));
        assert_eq!(Delay::NONE.doubled(delay(10)), Delay::NONE);
    }
}

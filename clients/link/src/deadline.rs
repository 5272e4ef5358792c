//! Moments that programs name by how long they are from now.

use std::time::Duration;
use tokio::time::Instant;

/// What stands for ever: no clock overflows by it, and no program runs for so long.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// The moment after this long. Who does not want to wait for less than for ever says `Duration::MAX`.
pub(crate) fn deadline(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or_else(|| now + FOREVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_duration_is_too_long() {
        let year = Duration::from_secs(365 * 24 * 3600);
        assert!(deadline(Duration::MAX) >= Instant::now() + 29 * year);
        assert!(deadline(Duration::from_secs(1)) <= Instant::now() + Duration::from_secs(1));
    }
}

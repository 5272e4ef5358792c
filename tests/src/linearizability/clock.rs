//! The one clock by which calls begin and end.

use std::time::Instant;

/// Counts nanoseconds from when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Begins now.
    #[expect(clippy::new_without_default, reason = "no two of them are the same")]
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since then.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).expect("a test does not last for centuries")
    }
}

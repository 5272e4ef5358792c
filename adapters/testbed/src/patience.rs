//! How long a test waits for what must happen.

use std::thread;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Long enough for a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often a condition is looked at.
const PERIOD: Duration = Duration::from_millis(2);

/// Waits until `condition` holds, where there is no event to wait for. Other tasks go on meanwhile.
///
/// # Panics
/// When it does not within [`PATIENCE`].
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(PERIOD).await;
    }
}

/// As [`eventually`], outside a runtime: the thread does nothing else meanwhile.
///
/// # Panics
/// When it does not within [`PATIENCE`].
#[track_caller]
pub fn eventually_blocking(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        thread::sleep(PERIOD);
    }
}

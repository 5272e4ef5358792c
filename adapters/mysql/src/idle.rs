//! Since when connections are idle: the driver knows, and does not tell.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Since when each connection of a pool is idle, by its number at the server, the latest last: the pool gives that
/// out first.
#[derive(Debug)]
pub(crate) struct Idle {
    since: Mutex<Vec<(u32, Instant)>>,
    connections_max: usize,
}

impl Idle {
    pub(crate) fn new(connections_max: usize) -> Self {
        Self { since: Mutex::default(), connections_max }
    }

    /// It is used again. How long it was idle, if it was ever used.
    pub(crate) fn taken(&self, connection: u32, now: Instant) -> Option<Duration> {
        let mut since = self.since();
        let place = since.iter().rposition(|(it, _)| *it == connection)?;
        let (_, since) = since.remove(place);
        Some(now.saturating_duration_since(since))
    }

    /// It is idle from now on.
    pub(crate) fn returned(&self, connection: u32, now: Instant) {
        let mut since = self.since();
        // Those that the pool has closed meanwhile were idle longest.
        if since.len() >= self.connections_max {
            since.remove(0);
        }
        since.push((connection, now));
    }

    fn since(&self) -> MutexGuard<'_, Vec<(u32, Instant)>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_is_known_how_long_a_connection_was_idle() {
        let (idle, now) = (Idle::new(2), Instant::now());
        assert_eq!(idle.taken(7, now), None);
        idle.returned(7, now);
        assert_eq!(idle.taken(7, now + SECOND), Some(SECOND));
        assert_eq!(idle.taken(7, now + SECOND), None);
    }

    #[test]
    fn there_are_no_more_than_connections() {
        let (idle, now) = (Idle::new(2), Instant::now());
        for (connection, after) in [(2, 1), (1, 2), (3, 3)] {
            idle.returned(connection, now + SECOND * after);
        }
        let now = now + SECOND * 4;
        assert_eq!(idle.taken(2, now), None);
        assert_eq!(idle.taken(1, now), Some(SECOND * 2));
        assert_eq!(idle.taken(3, now), Some(SECOND));
    }
}

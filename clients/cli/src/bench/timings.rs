//! Durations of a run, and their percentiles.

use serde_json::{Value as Json, json};
use std::time::Duration;

/// Above this many only every n-th is kept, so that a long run stays small.
const SAMPLES_MAX: u64 = 1_000_000;

/// A sample of how long something took.
#[derive(Debug)]
pub(super) struct Timings {
    nanos: Vec<u32>,
    every: u64,
    seen: u64,
}

impl Timings {
    /// For about so many durations.
    pub(super) fn for_count(count: u64) -> Self {
        Self { nanos: Vec::new(), every: count / SAMPLES_MAX + 1, seen: 0 }
    }

    pub(super) fn add(&mut self, duration: Duration) {
        self.seen += 1;
        if self.seen.is_multiple_of(self.every) {
            self.nanos.push(u32::try_from(duration.as_nanos()).unwrap_or(u32::MAX));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.seen += other.seen;
        self.nanos.extend(other.nanos);
    }

    /// The summary of a run of `count` operations in `elapsed`.
    pub(super) fn summary(mut self, count: u64, elapsed: Duration) -> Summary {
        self.nanos.sort_unstable();
        let rate = count as f64 / elapsed.as_secs_f64();
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| self.quantile(share));
        Summary { count, elapsed, rate, p50, p99, p999 }
    }

    fn quantile(&self, share: f64) -> Duration {
        let last = self.nanos.len().saturating_sub(1);
        let index = (self.nanos.len() as f64 * share) as usize;
        let nanos = self.nanos.get(index.min(last)).copied().unwrap_or_default();
        Duration::from_nanos(nanos.into())
    }
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Summary {
    count: u64,
    elapsed: Duration,
    rate: f64,
    p50: Duration,
    p99: Duration,
    p999: Duration,
}

impl Summary {
    pub(super) fn text(&self, what: &str) -> String {
        let Self { count, elapsed, rate, p50, p99, p999 } = self;
        format!(
            "{count} {what} in {elapsed:.2?}: {rate:.0}/s\n\
             latency p50 {p50:.1?}, p99 {p99:.1?}, p99.9 {p999:.1?}"
        )
    }

    pub(super) fn json(&self, what: &str) -> Json {
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        json!({
            "what": what, "count": self.count, "seconds": self.elapsed.as_secs_f64(),
            "per_second": self.rate, "p50_us": micros(self.p50), "p99_us": micros(self.p99),
            "p999_us": micros(self.p999),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sample() {
        let mut timings = Timings::for_count(1000);
        (1..=1000).rev().for_each(|nanos| timings.add(Duration::from_nanos(nanos)));
        let summary = timings.summary(1000, Duration::from_secs(2));
        assert_eq!(summary.rate, 500.0);
        assert_eq!((summary.p50.as_nanos(), summary.p999.as_nanos()), (501, 1000));
        let nothing = Timings::for_count(0).summary(0, Duration::from_secs(1));
        assert_eq!(nothing.p99, Duration::ZERO);
    }
}

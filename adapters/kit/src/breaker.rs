//! When a service that fails is left alone, and when it is tried again: pure, time passed in.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Longer than anybody means.
const OPEN_MAX: Duration = Duration::from_secs(60 * 60 * 24);

/// When a service counts as down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerOptions {
    /// Failures in a row after which calls fail at once: 20. None: calls are always tried.
    pub failures_max: u32,
    /// How long calls fail at once before one is let through to try: 1 s.
    #[serde(with = "crate::duration")]
    pub open_for: Duration,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { failures_max: 20, open_for: Duration::from_secs(1) }
    }
}

/// Lets calls through as long as they succeed now and then.
#[derive(Debug)]
pub(crate) struct Breaker {
    options: BreakerOptions,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Calls go through; so many failed in a row.
    Closed { failures: u32 },
    /// Calls fail at once until then.
    Open { until: Instant },
    /// One call is under way to see whether the service is back; the next one may try then.
    Trying { until: Instant },
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Go,
    /// It may, and what becomes of it decides for all others.
    Trial,
    /// It may not, for so long at least.
    Stop(Duration),
}

impl Breaker {
    pub(crate) fn new(options: BreakerOptions) -> Self {
        let open_for = options.open_for.min(OPEN_MAX);
        let options = BreakerOptions { open_for, ..options };
        Self { options, state: State::Closed { failures: 0 } }
    }

    pub(crate) fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed { .. } => Admission::Go,
            State::Open { until } | State::Trying { until } if now < until => {
                Admission::Stop(until - now)
            }
            // A trial may take long: it may be one that waits for something to happen.
            State::Open { .. } | State::Trying { .. } => {
                self.state = State::Trying { until: now + self.options.open_for };
                Admission::Trial
            }
        }
    }

    /// A call got an answer, whichever.
    pub(crate) fn succeeded(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    /// A call found the service down. Those that began before it was known to be down say nothing new.
    pub(crate) fn failed(&mut self, admission: Admission, now: Instant) {
        let failures = match self.state {
            State::Closed { failures } => failures.saturating_add(1),
            State::Trying { .. } if admission == Admission::Trial => u32::MAX,
            State::Trying { .. } | State::Open { .. } => return,
        };
        let limit = self.options.failures_max;
        self.state = if limit > 0 && failures >= limit {
            State::Open { until: now + self.options.open_for }
        } else {
            State::Closed { failures }
        };
    }

    /// A call was given up by its caller, and nothing is known. The next one may try instead.
    pub(crate) fn abandoned(&mut self, admission: Admission, now: Instant) {
        if admission == Admission::Trial && matches!(self.state, State::Trying { .. }) {
            self.state = State::Open { until: now };
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(BreakerOptions { failures_max: 3, open_for: SECOND });
        for _ in 0..3 {
            assert_eq!(breaker.admit(now), Admission::Go);
            breaker.failed(Admission::Go, now);
        }
        breaker
    }

    #[test]
    fn it_opens_after_so_many_failures_in_a_row() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert!(breaker.is_open());
        assert_eq!(breaker.admit(now), Admission::Stop(SECOND));
        assert_eq!(breaker.admit(now + SECOND / 4), Admission::Stop(SECOND * 3 / 4));
    }

    #[test]
    fn an_answer_in_between_starts_over() {
        let now = Instant::now();
        let mut breaker = Breaker::new(BreakerOptions { failures_max: 2, open_for: SECOND });
        for _ in 0..10 {
            breaker.failed(Admission::Go, now);
            breaker.succeeded();
        }
        assert_eq!(breaker.admit(now), Admission::Go);
    }

    #[test]
    fn after_a_while_one_call_tries_and_decides_for_all() {
        let now = Instant::now();
        let later = now + SECOND;
        for answers in [true, false] {
            let mut breaker = opened(now);
            assert_eq!(breaker.admit(later), Admission::Trial);
            assert_eq!(breaker.admit(later), Admission::Stop(SECOND));
            if answers {
                breaker.succeeded();
                assert_eq!(breaker.admit(later), Admission::Go);
            } else {
                breaker.failed(Admission::Trial, later);
                assert_eq!(breaker.admit(later), Admission::Stop(SECOND));
            }
        }
    }

    #[test]
    fn calls_that_began_before_say_nothing_new() {
        let now = Instant::now();
        let mut breaker = opened(now);
        breaker.failed(Admission::Go, now + SECOND / 2);
        assert_eq!(breaker.admit(now + SECOND), Admission::Trial);
        breaker.failed(Admission::Go, now + SECOND);
        breaker.succeeded();
        assert_eq!(breaker.admit(now + SECOND), Admission::Go);
    }

    #[test]
    fn a_trial_that_is_given_up_leaves_its_place_to_the_next() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.admit(now + SECOND), Admission::Trial);
        breaker.abandoned(Admission::Trial, now + SECOND);
        assert_eq!(breaker.admit(now + SECOND), Admission::Trial);
    }

    #[test]
    fn a_trial_that_takes_long_does_not_keep_others_from_trying() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.admit(now + SECOND), Admission::Trial);
        assert_eq!(breaker.admit(now + SECOND * 2), Admission::Trial);
        assert_eq!(breaker.admit(now + SECOND * 2), Admission::Stop(SECOND));
        breaker.succeeded();
        assert_eq!(breaker.admit(now + SECOND * 2), Admission::Go);
    }

    #[test]
    fn no_time_is_too_long() {
        let now = Instant::now();
        let options = BreakerOptions { failures_max: 1, open_for: Duration::MAX };
        let mut breaker = Breaker::new(options);
        breaker.failed(Admission::Go, now);
        assert_eq!(breaker.admit(now), Admission::Stop(OPEN_MAX));
    }

    #[test]
    fn without_a_limit_it_never_opens() {
        let now = Instant::now();
        let mut breaker = Breaker::new(BreakerOptions { failures_max: 0, open_for: SECOND });
        for _ in 0..1000 {
            breaker.failed(Admission::Go, now);
        }
        assert_eq!(breaker.admit(now), Admission::Go);
    }
}

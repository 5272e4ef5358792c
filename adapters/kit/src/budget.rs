//! How many attempts again a service gets on top of its calls, so that they do not keep it down.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// In hundredths of an attempt, so that a percentage of a call is a whole number.
const ATTEMPT: u64 = 100;

/// How many attempts beyond the first a service gets. A service that fails everything would otherwise get
/// several times the load that it cannot bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryBudget {
    /// Repeated attempts per hundred calls: 20.
    pub percent_max: u32,
    /// Repeated attempts that are free at the start, and again after calls enough: 20.
    pub reserve: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { percent_max: 20, reserve: 20 }
    }
}

/// What is left of a budget.
#[derive(Debug)]
pub(crate) struct Allowance {
    budget: RetryBudget,
    left: AtomicU64,
}

impl Allowance {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        Self { budget, left: AtomicU64::new(full(budget)) }
    }

    /// A call is made.
    pub(crate) fn earn(&self) {
        let more = |left: u64| {
            let earned = left.saturating_add(self.budget.percent_max.into());
            // One attempt can always be saved up, else without a reserve there would never be any.
            let next = earned.min(full(self.budget).max(ATTEMPT));
            (next != left).then_some(next)
        };
        let _ = self.left.fetch_update(Relaxed, Relaxed, more);
    }

    /// Whether there may be another attempt.
    pub(crate) fn spend(&self) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(ATTEMPT)).is_ok()
    }
}

fn full(budget: RetryBudget) -> u64 {
    u64::from(budget.reserve) * ATTEMPT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(allowance: &Allowance) -> usize {
        (0..1000).take_while(|_| allowance.spend()).count()
    }

    #[test]
    fn the_reserve_is_spent_once_and_earned_again_by_calls() {
        let allowance = Allowance::new(RetryBudget { percent_max: 20, reserve: 3 });
        assert_eq!(spent(&allowance), 3);
        for (calls, expected) in [(4, 0), (1, 1), (10, 2), (1000, 3)] {
            (0..calls).for_each(|_| allowance.earn());
            assert_eq!(spent(&allowance), expected, "{calls}");
        }
    }

    #[test]
    fn without_a_reserve_only_what_was_earned_is_there() {
        let allowance = Allowance::new(RetryBudget { percent_max: 50, reserve: 0 });
        assert_eq!(spent(&allowance), 0);
        (0..2).for_each(|_| allowance.earn());
        assert_eq!(spent(&allowance), 1);
        let none = Allowance::new(RetryBudget { percent_max: 0, reserve: 0 });
        (0..1000).for_each(|_| none.earn());
        assert_eq!(spent(&none), 0);
    }
}

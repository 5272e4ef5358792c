//! What one way of doing something costs over another, where other programs share the machine.

use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::time::Duration;

/// What two ways cost: medians over the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Microseconds of processor time for each call, by the bare way.
    pub bare: f64,
    /// The same by the adapter.
    pub adapter: f64,
    /// How much the second is of the first, in the same round: what else the machine does changes slowly.
    pub ratio: f64,
}

impl Cost {
    /// Measures both in turn, `rounds` times; each is to make `calls` calls when it is asked to. A round before
    /// the first one makes connections and fills caches, and does not count.
    ///
    /// # Errors
    /// The first of either.
    pub async fn measure<E>(
        rounds: usize,
        calls: usize,
        mut bare: impl AsyncFnMut() -> Result<(), E>,
        mut adapter: impl AsyncFnMut() -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut taken = Vec::with_capacity(rounds);
        for round in 0..=rounds {
            // Who begins changes, so that neither profits from it.
            let (by_bare, by_adapter) = if round % 2 == 0 {
                let by_bare = processor_time_of(&mut bare).await?;
                (by_bare, processor_time_of(&mut adapter).await?)
            } else {
                let by_adapter = processor_time_of(&mut adapter).await?;
                (processor_time_of(&mut bare).await?, by_adapter)
            };
            if round > 0 {
                taken.push((by_bare, by_adapter));
            }
        }
        Ok(Self::of(&taken, calls))
    }

    fn of(taken: &[(Duration, Duration)], calls: usize) -> Self {
        let median = |value: &dyn Fn(f64, f64) -> f64| {
            let values = taken.iter().map(|(bare, adapter)| {
                value(bare.as_secs_f64() * 1e6, adapter.as_secs_f64() * 1e6)
            });
            median(values.collect())
        };
        let calls = calls as f64;
        Self {
            bare: median(&|bare, _| bare / calls),
            adapter: median(&|_, adapter| adapter / calls),
            ratio: median(&|bare, adapter| adapter / bare),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bare, adapter, ratio } = self;
        write!(f, "bare {bare:6.2} µs, adapter {adapter:6.2} µs, ratio {ratio:5.3}")
    }
}

async fn processor_time_of<E>(
    work: &mut impl AsyncFnMut() -> Result<(), E>,
) -> Result<Duration, E> {
    let begun = processor_time();
    work().await?;
    Ok(processor_time() - begun)
}

/// Of all threads of this process, in its own code and in the system's.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = time.tv_sec.try_into().expect("no process has used less than no time");
    Duration::new(seconds, time.tv_nsec.try_into().expect("a second has fewer nanoseconds"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn a_ratio_is_one_of_a_round() {
        let millis = Duration::from_millis;
        let taken = [(millis(10), millis(11)), (millis(100), millis(90)), (millis(20), millis(30))];
        let cost = Cost::of(&taken, 10);
        assert_eq!(cost, Cost { bare: 2000.0, adapter: 3000.0, ratio: 1.1 });
        let text = Cost { bare: 1.0, adapter: 1.5, ratio: 1.5 }.to_string();
        assert_eq!(text, "bare   1.00 µs, adapter   1.50 µs, ratio 1.500");
    }

    #[tokio::test]
    async fn both_are_measured_in_turn_and_more_work_takes_longer() {
        let order = std::cell::RefCell::new(String::new());
        let work = |count: u64| std::hint::black_box((0..count).fold(0, |sum, it| sum ^ (it * it)));
        let bare = async || {
            order.borrow_mut().push('b');
            work(100_000);
            Ok::<_, Infallible>(())
        };
        let adapter = async || {
            order.borrow_mut().push('a');
            work(1_000_000);
            Ok(())
        };
        let Ok(cost) = Cost::measure(4, 1, bare, adapter).await;
        assert_eq!(order.into_inner(), "baabbaabba");
        assert!(cost.bare > 0.0 && cost.ratio > 2.0, "{cost}");
    }
}

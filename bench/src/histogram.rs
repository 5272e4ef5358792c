//! Latencies in nanoseconds, in log-linear buckets at most 1/64 wide.

const SUB_BITS: u32 = 6;
const SUB_BUCKETS: usize = 1 << SUB_BITS;

/// Counts values by their size.
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        let octaves = 64 - SUB_BITS as usize + 1;
        Self { buckets: vec![0; octaves * SUB_BUCKETS], count: 0 }
    }

    pub(crate) fn record(&mut self, value: u64) {
        self.buckets[bucket(value)] += 1;
        self.count += 1;
    }

    /// The value below which `share` (0 to 1) of the recorded values lie; 0 when there are none.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let rank = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return lower_bound(index);
            }
        }
        0
    }
}

fn bucket(value: u64) -> usize {
    let octave = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_BITS + 1);
    octave as usize * SUB_BUCKETS + (value >> octave) as usize
}

fn lower_bound(bucket: usize) -> u64 {
    let octave = (bucket / SUB_BUCKETS).saturating_sub(1);
    ((bucket - octave * SUB_BUCKETS) as u64) << octave
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_contiguous_and_narrow() {
        let mut last = 0;
        for value in (0..100_000).chain((17..63).map(|bit| (1 << bit) + 12_345)) {
            let index = bucket(value);
            assert!(index >= last);
            assert!(lower_bound(index) <= value);
            assert!(value - lower_bound(index) <= value / SUB_BUCKETS as u64);
            last = index;
        }
        assert!(bucket(u64::MAX) < Histogram::new().buckets.len());
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), 0);
        (1..=100).for_each(|value| histogram.record(value));
        assert_eq!(histogram.quantile(0.0), 1);
        assert_eq!(histogram.quantile(0.5), 50);
        assert_eq!(histogram.quantile(1.0), 100);
    }
}

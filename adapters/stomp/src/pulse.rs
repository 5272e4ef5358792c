//! Heart-beats: when to give one, and when silence is too long. Pure: it counts its own beats.

use std::time::Duration;

/// There is nothing to beat for: as rare as can be said.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Counts beats of a quarter of the shorter time that was agreed on. A program that stood still has
/// counted none, so that its own sleep is not taken for the silence of the server.
#[derive(Debug)]
pub(crate) struct Pulse {
    period: Duration,
    gives: bool,
    unwritten: u32,
    silent: u32,
    /// So many silent beats are twice the time that was agreed on.
    silent_max: Option<u32>,
}

/// What a beat asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// A sign of life.
    Sign,
    /// To give the server up.
    Death,
}

impl Pulse {
    pub(crate) fn new(out: Option<Duration>, back: Option<Duration>) -> Self {
        let shorter = [out, back].into_iter().flatten().min();
        let period = shorter.map_or(NEVER, |time| (time / 4).max(Duration::from_millis(1)));
        let beats = |time: Duration| (2 * time).as_nanos().div_ceil(period.as_nanos());
        let silent_max = back.map(|time| u32::try_from(beats(time)).unwrap_or(u32::MAX));
        Self { period, gives: out.is_some(), unwritten: 0, silent: 0, silent_max }
    }

    pub(crate) fn period(&self) -> Duration {
        self.period
    }

    /// A beat, and whether something was written and read since the one before.
    pub(crate) fn beat(&mut self, has_written: bool, has_read: bool) -> Due {
        self.unwritten = if has_written { 0 } else { self.unwritten + 1 };
        self.silent = if has_read { 0 } else { self.silent + 1 };
        if self.silent_max.is_some_and(|most| self.silent > most) {
            return Due::Death;
        }
        // What was written right after a beat is almost one beat older than it seems.
        if self.gives && self.unwritten >= 2 {
            self.unwritten = 0;
            return Due::Sign;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn a_sign_is_given_in_time() {
        let mut pulse = Pulse::new(seconds(4), None);
        assert_eq!(pulse.period(), Duration::from_secs(1));
        let wrote = [true, false, false, false, false, true, false];
        let due: Vec<_> = wrote.into_iter().map(|wrote| pulse.beat(wrote, false)).collect();
        use Due::{Nothing, Sign};
        assert_eq!(due, [Nothing, Nothing, Sign, Nothing, Sign, Nothing, Nothing]);
    }

    #[test]
    fn silence_is_death_after_twice_the_time() {
        let mut pulse = Pulse::new(seconds(1000), seconds(4));
        for _ in 0..100 {
            assert_ne!(pulse.beat(true, true), Due::Death);
        }
        let beats = (1..20).find(|_| pulse.beat(true, false) == Due::Death);
        assert_eq!(beats, Some(9));
        let mut rare = Pulse::new(seconds(4), seconds(40));
        assert_eq!((1..200).find(|_| rare.beat(true, false) == Due::Death), Some(81));
    }

    #[test]
    fn without_an_agreement_nothing_is_due() {
        let mut pulse = Pulse::new(None, None);
        assert_eq!(pulse.period(), NEVER);
        assert!((0..1000).all(|_| pulse.beat(false, false) == Due::Nothing));
    }
}

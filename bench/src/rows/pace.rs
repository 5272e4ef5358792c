//! How fast a load is sent.

use super::Work;

/// When the next message or request is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// As soon as the window opens.
    Saturated,
    /// When the one before has reached everybody.
    Alone,
    /// So many per second, at fixed times, whatever the server does.
    PerSecond(f64),
    /// A fifth of what the limit server does with messages that travel alone.
    Modest,
}

/// What a modest rate is of the limit server's.
const MODEST_SHARE: f64 = 0.2;

impl Work {
    /// The load whose rate on the limit server tells what a modest one is, if the row wants that.
    pub(crate) fn calibration(self) -> Option<Self> {
        match self {
            Self::Fanout { pace: Pace::Modest, .. } | Self::Keys { pace: Pace::Modest, .. } => {
                Some(self.paced(Pace::Alone))
            }
            Self::Stalled { healthy, pace: Pace::Modest, .. } => Some(Self::Fanout {
                publishers: 1,
                subscribers: healthy,
                payload_bytes: 64,
                pace: Pace::Alone,
                via: super::Via::Channel,
            }),
            _ => None,
        }
    }

    /// The same at a fifth of `per_s`.
    pub(crate) fn modest(self, per_s: f64) -> Self {
        self.paced(Pace::PerSecond(per_s * MODEST_SHARE))
    }

    /// The same without a rate, which a slowed server might not keep up with: one message or request after
    /// the other where it had one.
    pub(crate) fn unhurried(self) -> Self {
        match self {
            Self::Fanout { pace: Pace::PerSecond(_) | Pace::Modest, .. }
            | Self::Stalled { .. }
            | Self::Keys { pace: Pace::PerSecond(_) | Pace::Modest, .. } => self.paced(Pace::Alone),
            _ => self,
        }
    }

    fn paced(mut self, to: Pace) -> Self {
        if let Self::Fanout { pace, .. } | Self::Stalled { pace, .. } | Self::Keys { pace, .. } =
            &mut self
        {
            *pace = to;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Via;

    #[test]
    fn only_what_is_modest_is_calibrated() {
        let fanout = |pace| Work::Fanout {
            publishers: 1,
            subscribers: 3,
            payload_bytes: 64,
            pace,
            via: Via::Channel,
        };
        let stalled = Work::Stalled { healthy: 3, stalled: 9, pace: Pace::Modest };
        for work in [fanout(Pace::Modest), stalled] {
            let Some(Work::Fanout { subscribers: 3, pace: Pace::Alone, .. }) = work.calibration()
            else {
                panic!("{work:?}");
            };
            let (Work::Fanout { pace, .. } | Work::Stalled { pace, .. }) = work.modest(1000.0)
            else {
                panic!("{work:?}");
            };
            assert_eq!(pace, Pace::PerSecond(200.0));
        }
        for (pace, unhurried) in [
            (Pace::PerSecond(7.0), Pace::Alone),
            (Pace::Modest, Pace::Alone),
            (Pace::Saturated, Pace::Saturated),
        ] {
            let Work::Fanout { pace, .. } = fanout(pace).unhurried() else { panic!("another") };
            assert_eq!(pace, unhurried);
        }
        assert!(fanout(Pace::Saturated).calibration().is_none());
        assert!(fanout(Pace::PerSecond(7.0)).calibration().is_none());
    }
}

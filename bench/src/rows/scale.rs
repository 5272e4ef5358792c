//! Curves: the same work with one number growing, so that no step is hidden between two rows.

use super::{Pace, Row, Section, Sizes, Via, Work};
use crate::load::Operation;

/// The number that grows along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Axis {
    /// Of one channel.
    Subscribers,
    /// With one request under way on each.
    Connections,
    /// That are stored.
    Keys,
    /// That are made.
    Subscribing,
    /// That are there.
    Subscriptions,
}

/// Where a curve is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Points {
    pub(super) subscribers: &'static [usize],
    pub(super) connections: &'static [usize],
    pub(super) keys: &'static [u64],
    pub(super) subscriptions: &'static [u32],
}

impl Points {
    pub(super) const FULL: Self = Self {
        subscribers: &[1, 3, 10, 30, 100, 300, 1000],
        connections: &[1, 10, 100, 1000, 10_000],
        keys: &[1000, 10_000, 100_000, 1_000_000, 10_000_000],
        subscriptions: &[1, 1000, 10_000, 100_000, 1_000_000],
    };

    /// Enough to see that each works, and that a curve has steps.
    pub(super) const QUICK: Self =
        Self { subscribers: &[1, 30], connections: &[200], keys: &[3000], subscriptions: &[1000] };
}

impl Axis {
    pub(crate) const ALL: [Self; 5] =
        [Self::Subscribers, Self::Connections, Self::Keys, Self::Subscribing, Self::Subscriptions];

    /// What the rows are named after.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Subscribers => "subscribers",
            Self::Connections => "connections",
            Self::Keys => "keys",
            Self::Subscribing => "subscribe",
            Self::Subscriptions => "subscriptions",
        }
    }

    /// What grows.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Subscribers => "subscribers of one channel",
            Self::Connections => "connections, one request under way on each",
            Self::Keys => "keys, 64 B each",
            Self::Subscribing => "subscriptions made",
            Self::Subscriptions => "subscriptions in place",
        }
    }

    /// What the CPU time is for.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Subscribers | Self::Subscriptions => "delivery",
            Self::Connections | Self::Keys => "get",
            Self::Subscribing => "subscription",
        }
    }

    /// The number of one row.
    pub(crate) fn value(self, work: Work) -> f64 {
        match (self, work) {
            (Self::Keys, Work::Keys { keys, .. }) => keys as f64,
            (_, Work::Keys { connections, .. }) => connections as f64,
            (_, Work::Fanout { subscribers, .. }) => subscribers as f64,
            (_, Work::Subscriptions { subscriptions, .. } | Work::Routed { subscriptions, .. }) => {
                f64::from(subscriptions)
            }
            _ => 0.0,
        }
    }
}

pub(super) fn rows(sizes: Sizes) -> Vec<Row> {
    let Points { subscribers, connections, keys, subscriptions } = sizes.scale;
    let mut rows = Vec::new();
    rows.extend(subscribers.iter().map(|count| {
        let work = Work::Fanout {
            publishers: 1,
            subscribers: *count,
            payload_bytes: 64,
            pace: Pace::Saturated,
            via: Via::Channel,
        };
        row(Axis::Subscribers, work)
    }));
    let gets = |connections, depth, keys| Work::Keys {
        operation: Operation::Get,
        connections,
        depth,
        keys,
        pace: Pace::Saturated,
    };
    let usual = super::catalogue::KEYS;
    rows.extend(connections.iter().map(|count| row(Axis::Connections, gets(*count, 1, usual))));
    rows.extend(keys.iter().map(|count| row(Axis::Keys, gets(50, 16, *count))));
    rows.extend(subscriptions.iter().map(|count| {
        let connections = sizes.subscribers.min(*count as usize);
        row(Axis::Subscribing, Work::Subscriptions { subscriptions: *count, connections })
    }));
    rows.extend(subscriptions.iter().map(|count| {
        let connections = sizes.subscribers.min(*count as usize);
        row(Axis::Subscriptions, Work::Routed { subscriptions: *count, connections })
    }));
    rows
}

fn row(axis: Axis, work: Work) -> Row {
    let value = axis.value(work);
    Row {
        name: format!("scale/{}/{value}", axis.name()),
        title: value.to_string(),
        section: Section::Scale(axis),
        work,
        goal: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_grows() {
        for sizes in [Sizes::FULL, Sizes::QUICK] {
            let rows = rows(sizes);
            let mut curves: Vec<(Axis, f64)> = Vec::new();
            for row in &rows {
                let Section::Scale(axis) = row.section else { panic!("{}", row.name) };
                let value = axis.value(row.work);
                assert_eq!(row.name, format!("scale/{}/{value}", axis.name()));
                match curves.last_mut() {
                    Some((last, before)) if *last == axis => {
                        assert!(*before < value, "{}", row.name);
                        *before = value;
                    }
                    _ => {
                        assert!(value >= 1.0 && curves.iter().all(|(known, _)| *known != axis));
                        curves.push((axis, value));
                    }
                }
            }
            assert_eq!(curves.len(), Axis::ALL.len());
        }
    }
}

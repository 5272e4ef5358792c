//! What one session subscribed to: often a single thing, and then without a table.

use super::Subscription;
use std::collections::BTreeMap;

/// Stands for the serial of a subscription that joins when its replay has ended.
pub(super) const PENDING: u64 = 0;

/// The subscriptions of one session, each with the serial under which it joined, or [`PENDING`].
#[derive(Debug, Default)]
pub(super) enum Subscriptions {
    #[default]
    None,
    One(Subscription, u64),
    /// A tree: one that grows neither holds anybody up nor leaves smaller ones behind.
    Many(BTreeMap<Subscription, u64>),
}

const _: () = assert!(size_of::<Subscriptions>() == 32, "every session that subscribed has one");

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(..) => 1,
            Self::Many(all) => all.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The serial of a subscription, if it is among these.
    pub(super) fn serial(&self, subscription: Subscription) -> Option<u64> {
        match self {
            Self::None => None,
            Self::One(only, serial) => (*only == subscription).then_some(*serial),
            Self::Many(all) => all.get(&subscription).copied(),
        }
    }

    /// The same, to change it.
    pub(super) fn serial_mut(&mut self, subscription: Subscription) -> Option<&mut u64> {
        match self {
            Self::None => None,
            Self::One(only, serial) => (*only == subscription).then_some(serial),
            Self::Many(all) => all.get_mut(&subscription),
        }
    }

    /// Adds one that is not among these.
    pub(super) fn add(&mut self, subscription: Subscription, serial: u64) {
        match self {
            Self::None => *self = Self::One(subscription, serial),
            Self::One(first, first_serial) => {
                let both = [(*first, *first_serial), (subscription, serial)];
                *self = Self::Many(BTreeMap::from(both));
            }
            Self::Many(all) => {
                all.insert(subscription, serial);
            }
        }
    }

    /// Takes one out. Returns its serial if it was among these.
    pub(super) fn remove(&mut self, subscription: Subscription) -> Option<u64> {
        match self {
            Self::None => None,
            Self::One(only, serial) => {
                let found = (*only == subscription).then_some(*serial)?;
                *self = Self::None;
                Some(found)
            }
            Self::Many(all) => all.remove(&subscription),
        }
    }

    /// All of them, in the order in which they joined.
    pub(super) fn into_sorted(self) -> Vec<(Subscription, u64)> {
        let mut all: Vec<_> = match self {
            Self::None => Vec::new(),
            Self::One(only, serial) => vec![(only, serial)],
            Self::Many(all) => all.into_iter().collect(),
        };
        all.sort_unstable_by_key(|(subscription, serial)| (*serial, *subscription));
        all
    }
}

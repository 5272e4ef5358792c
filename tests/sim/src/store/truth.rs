//! What became of each variable, change by change, over all server processes.

use std::collections::BTreeMap;

/// The changes of every variable that there ever was.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    by_key: BTreeMap<Vec<u8>, Vec<Change>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Stored {
        revision: u64,
        value: Vec<u8>,
    },
    Deleted,
    Expired,
    /// The server began anew, with nothing.
    Restarted,
}

impl Truth {
    pub(crate) fn add(&mut self, key: Vec<u8>, change: Change) {
        self.by_key.entry(key).or_default().push(change);
    }

    pub(crate) fn restart(&mut self) {
        self.by_key.values_mut().for_each(|changes| changes.push(Change::Restarted));
    }

    /// All changes of a variable.
    pub(crate) fn of(&self, key: &[u8]) -> &[Change] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// The place of the change that stored this revision.
    pub(crate) fn stored(&self, key: &[u8], revision: u64) -> Option<usize> {
        let is_it = |change: &Change| matches!(change, Change::Stored { revision: is, .. } if *is == revision);
        self.of(key).iter().position(is_it)
    }

    /// The place of the change that removed a variable under this revision: the last one before what was
    /// stored later.
    pub(crate) fn removed(&self, key: &[u8], revision: u64) -> Option<usize> {
        let all = self.of(key);
        let is_later = |change: &Change| matches!(change, Change::Stored { revision: is, .. } if *is > revision);
        let end = all.iter().position(is_later).unwrap_or(all.len());
        all[..end].iter().rposition(|change| *change != Change::Restarted)
    }

    /// How many changes each variable that matches has had.
    pub(crate) fn lengths(&self, matches: impl Fn(&[u8]) -> bool) -> BTreeMap<Vec<u8>, usize> {
        let matching = self.by_key.iter().filter(|(key, _)| matches(key));
        matching.map(|(key, changes)| (key.clone(), changes.len())).collect()
    }

    /// The variables that there are now, of those that match, each with the revision of its value.
    pub(crate) fn state(&self, matches: impl Fn(&[u8]) -> bool) -> BTreeMap<Vec<u8>, u64> {
        let matching = self.by_key.iter().filter(|(key, _)| matches(key));
        let present = matching.filter_map(|(key, changes)| match changes.last() {
            Some(Change::Stored { revision, .. }) => Some((key.clone(), *revision)),
            _ => None,
        });
        present.collect()
    }
}

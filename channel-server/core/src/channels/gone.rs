//! Messages that went while replays of patterns were under way, for those that come too late for them.

use super::logs::{LogId, Logs};
use super::replays::PatternCursor;
use std::collections::{BTreeMap, VecDeque};
use workyard_protocol::Pattern;

/// So many are remembered, in 24 bytes each. Who was slower still learns what is gone, but not how much.
const REMEMBERED_MAX: usize = 65_536;

/// What is told at once of what a replay lost: rows of numbers, and bytes in their channels' names.
const LOST_ROWS_MAX: usize = 256;
const LOST_NAMES_BYTES_MAX: usize = 16 * 1024;

/// The last messages that went, as long as a replay may have wanted them. All replays share them: each
/// looks at those that went since it looked before.
#[derive(Debug, Default)]
pub(crate) struct GoneLately {
    is_noted: bool,
    row: VecDeque<Gone>,
    /// How many had gone before the first of these.
    before: u64,
    /// How often logs had been forgotten: afterwards, others have their ids.
    forgettings: u64,
}

/// A message that is not kept any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    pub(crate) log: LogId,
    pub(crate) position: u64,
    pub(crate) sequence: u64,
}

/// Messages of one channel, one behind the other, that a replay came too late for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) log: LogId,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl GoneLately {
    /// From now on it is noted what goes, or not any more.
    pub(crate) fn set_noted(&mut self, is_noted: bool) {
        self.is_noted = is_noted;
        if !is_noted {
            self.forget();
        }
    }

    /// Whether it is noted what goes.
    pub(crate) fn is_noted(&self) -> bool {
        self.is_noted
    }

    /// A message went.
    pub(crate) fn note(&mut self, gone: Gone, logs: &Logs) {
        if !self.is_noted {
            return;
        }
        self.check(logs);
        if self.row.len() == REMEMBERED_MAX {
            self.row.pop_front();
            self.before += 1;
        }
        self.row.push_back(gone);
    }

    /// How many have gone.
    pub(crate) fn count(&self) -> u64 {
        self.before + self.row.len() as u64
    }

    /// Whether those that the cursor has not seen are remembered.
    pub(crate) fn are_remembered(&mut self, cursor: &PatternCursor, logs: &Logs) -> bool {
        self.check(logs);
        self.before <= cursor.seen_gone
    }

    /// What the cursor lost by some of those that it has not seen, which it has then. It has seen all if
    /// that is nothing. They must be remembered.
    pub(crate) fn lost(
        &self,
        cursor: &mut PatternCursor,
        pattern: Pattern<'_>,
        logs: &Logs,
    ) -> Vec<Lost> {
        let from = usize::try_from(cursor.seen_gone - self.before).expect("they lie in memory");
        let unseen = self.row.range(from..);
        let mut lost: Vec<Lost> = Vec::new();
        let mut last_of = BTreeMap::new();
        let mut name_bytes = 0;
        let newest = newest_of_old(unseen.clone(), cursor, logs);
        for gone in unseen {
            let Gone { log, sequence, .. } = *gone;
            if lost.len() == LOST_ROWS_MAX || name_bytes > LOST_NAMES_BYTES_MAX {
                break;
            }
            cursor.seen_gone += 1;
            let name = logs.name(log).as_bytes();
            if !cursor.has_lost(gone, &newest) || !pattern.matches(name) {
                continue;
            }
            match last_of.get(&log).map(|at: &usize| &mut lost[*at]) {
                Some(last) if last.to + 1 == sequence => last.to = sequence,
                _ => {
                    name_bytes += name.len();
                    last_of.insert(log, lost.len());
                    lost.push(Lost { log, from: sequence, to: sequence });
                }
            }
        }
        lost
    }

    fn check(&mut self, logs: &Logs) {
        if self.forgettings != logs.forgettings() {
            self.forgettings = logs.forgettings();
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.before = self.count();
        self.row = VecDeque::new();
    }
}

/// Of each log from which only so many of the messages up to a position are wanted, the number of the
/// newest of these, as far as any of them went.
fn newest_of_old<'g>(
    unseen: impl Iterator<Item = &'g Gone>,
    cursor: &PatternCursor,
    logs: &Logs,
) -> BTreeMap<LogId, u64> {
    let mut newest = BTreeMap::new();
    let Some(last) = cursor.last else { return newest };
    for gone in unseen.filter(|gone| gone.position <= last.until) {
        let log = &logs[gone.log];
        let left = log.ring.count_to(last.until) as u64;
        let number = if left > 0 { log.first_kept() + left - 1 } else { gone.sequence };
        newest.insert(gone.log, number);
    }
    newest
}

impl PatternCursor {
    /// Whether it would have come to the message.
    fn has_lost(&self, gone: &Gone, newest: &BTreeMap<LogId, u64>) -> bool {
        let is_still_scanned = self.scan.is_some_and(|slot| slot <= gone.log.slot());
        let is_old = |until| gone.position <= until;
        gone.position > self.after
            && !is_still_scanned
            && self.last.is_none_or(|last| {
                !is_old(last.until) || newest[&gone.log] - gone.sequence < last.count
            })
    }
}

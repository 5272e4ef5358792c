//! What was published, in the server's order, and what those who read it may expect.

use super::interests::show;
use super::jobs::Jobs;
use crate::findings::Findings;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Values are told apart by a number of their own.
pub(crate) type ValueId = u64;

/// What all observers of a run share.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) findings: Arc<Findings>,
    pub(crate) jobs: Jobs,
    /// Everything that was published to everybody, over all server processes.
    published: Vec<Published>,
    by_value: BTreeMap<(Vec<u8>, ValueId), usize>,
    /// Values that one of many is to receive, with whom it has come to: nothing yet, or whatever the
    /// name of the group is.
    shared: BTreeSet<(Vec<u8>, ValueId)>,
    last_value: ValueId,
    /// Readers that have not heard the last message yet.
    waiting: BTreeSet<usize>,
    last_reader: usize,
    /// Values that end the run for whoever hears them.
    last_messages: BTreeSet<ValueId>,
    /// Jobs whose storing was confirmed in the present process, and the numbers that they got.
    stored: BTreeMap<ValueId, u64>,
    /// Jobs whose acknowledgement was confirmed.
    acknowledged: BTreeSet<ValueId>,
    /// How many server processes have died.
    pub(crate) processes: u64,
}

#[derive(Debug)]
struct Published {
    channel: Vec<u8>,
    /// Its number in its channel, once that is known.
    sequence: u64,
    process: u64,
}

impl Ledger {
    pub(crate) fn new(findings: Arc<Findings>) -> Self {
        Self {
            findings,
            jobs: Jobs::default(),
            published: Vec::new(),
            by_value: BTreeMap::new(),
            shared: BTreeSet::new(),
            last_value: 0,
            waiting: BTreeSet::new(),
            last_reader: 0,
            last_messages: BTreeSet::new(),
            stored: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            processes: 0,
        }
    }

    pub(crate) fn next_value(&mut self) -> ValueId {
        self.last_value += 1;
        self.last_value
    }

    /// The server is about to deliver this to everybody.
    pub(crate) fn publish(&mut self, channel: &[u8], value: ValueId) {
        let at = self.published.len();
        let process = self.processes;
        self.published.push(Published { channel: channel.to_vec(), sequence: 0, process });
        let before = self.by_value.insert((channel.to_vec(), value), at);
        self.findings.check(before.is_none(), || {
            format!("value {value} was published to {} twice", show(channel))
        });
    }

    /// The server numbers it.
    pub(crate) fn number(&mut self, channel: &[u8], value: ValueId, sequence: u64) {
        let Some(at) = self.index(channel, value) else { return };
        let before = self.published[..at].iter().rev();
        let last = before
            .take_while(|one| one.process == self.processes)
            .find(|one| one.channel == channel && one.sequence > 0);
        let floor = last.map_or(0, |one| one.sequence);
        self.findings.check(sequence > floor, || {
            format!("{}: number {sequence} follows {floor}", show(channel))
        });
        self.published[at].sequence = sequence;
    }

    /// How many were published so far.
    pub(crate) fn published(&self) -> usize {
        self.published.len()
    }

    /// The place of a message in the server's order.
    pub(crate) fn index(&self, channel: &[u8], value: ValueId) -> Option<usize> {
        self.by_value.get(&(channel.to_vec(), value)).copied()
    }

    pub(crate) fn is_published(&self, value: ValueId) -> bool {
        self.by_value.keys().any(|(_, known)| *known == value)
    }

    /// The numbers of the messages from one place up to another that match: first, last, how many.
    pub(crate) fn between(
        &self,
        from: usize,
        to: usize,
        matches: impl Fn(&[u8]) -> bool,
    ) -> (u64, u64, u64) {
        let all = self.published.get(from..to).unwrap_or_default();
        let mut numbers = all.iter().filter(|one| matches(&one.channel)).map(|one| one.sequence);
        let first = numbers.next();
        let count = first.map_or(0, |_| 1 + numbers.clone().count() as u64);
        (first.unwrap_or(0), numbers.last().or(first).unwrap_or(0), count)
    }

    /// One of many has received a value that is for one of them only.
    pub(crate) fn received_by_one(&mut self, whose: &[u8], value: ValueId) {
        let is_first = self.shared.insert((whose.to_vec(), value));
        self.findings.check(is_first, || {
            format!("two of {:?} received value {value}", String::from_utf8_lossy(whose))
        });
    }

    /// A reader that has to hear the last message.
    pub(crate) fn add_reader(&mut self) -> usize {
        self.last_reader += 1;
        self.waiting.insert(self.last_reader);
        self.last_reader
    }

    /// It has heard it, or does not listen any more.
    pub(crate) fn settle_reader(&mut self, reader: usize) {
        self.waiting.remove(&reader);
    }

    pub(crate) fn waiting_readers(&self) -> usize {
        self.waiting.len()
    }

    /// The value of a message behind which nothing comes.
    pub(crate) fn last_message(&mut self) -> ValueId {
        let value = self.next_value();
        self.last_messages.insert(value);
        value
    }

    pub(crate) fn is_last(&self, value: ValueId) -> bool {
        self.last_messages.contains(&value)
    }

    pub(crate) fn job_stored(&mut self, value: ValueId, number: u64, process: u64) {
        if process == self.processes {
            let known = self.jobs.value(number);
            self.findings.check(known == Some(value), || {
                format!("value {value} was stored as job {number}, which is {known:?}")
            });
            self.stored.insert(value, number);
        }
    }

    /// A consumer was told that a job is finished.
    pub(crate) fn job_acknowledged(&mut self, value: ValueId, process: u64) {
        let is_first = self.acknowledged.insert(value);
        self.findings.check(is_first, || format!("value {value} was acknowledged twice"));
        if process == self.processes {
            let finished = self.jobs.is_finished(value);
            self.findings.check(finished, || format!("value {value} is not finished"));
        }
    }

    /// Everything that is kept in memory is gone.
    pub(crate) fn crashed(&mut self) {
        self.processes += 1;
        self.jobs.forget_everything();
        self.stored.clear();
    }

    /// Every job that was stored has been finished.
    pub(crate) fn check_jobs(&self) {
        self.jobs.check_all_finished(&self.findings);
        for (value, number) in &self.stored {
            let known = self.jobs.value(*number);
            self.findings.check(known == Some(*value), || format!("job {number} was lost"));
        }
    }
}

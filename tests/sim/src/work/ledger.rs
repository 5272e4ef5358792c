//! What all observers of a run share: the book of jobs, and what programs were told.

use super::book::Book;
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) book: Book,
    /// Jobs of the present server process that programs know of: the queue and the number.
    pub(super) known: Vec<(&'static str, u64)>,
    /// Values of jobs whose acknowledgement was confirmed.
    acknowledged: BTreeSet<u64>,
    last_value: u64,
    /// How many server processes have died.
    pub(super) process: u64,
}

impl Ledger {
    pub(super) fn new(book: Book) -> Self {
        let (known, acknowledged) = (Vec::new(), BTreeSet::new());
        Self { book, known, acknowledged, last_value: 0, process: 0 }
    }

    pub(super) fn next_value(&mut self) -> u64 {
        self.last_value += 1;
        self.last_value
    }

    /// A program was told that its job is stored, by a server process of which it knows.
    pub(super) fn stored(
        &mut self,
        queue: &'static str,
        value: u64,
        number: u64,
        duplicate: bool,
        process: u64,
    ) {
        if process != self.process {
            return;
        }
        self.known.push((queue, number));
        let known = self.book.value(number);
        self.book.findings.check(known == Some(value) || (duplicate && known.is_some()), || {
            format!("value {value} was stored as job {number}, which is {known:?}")
        });
    }

    /// A consumer was told that a job is finished.
    pub(super) fn acknowledged(&mut self, value: u64, process: u64) {
        let is_first = self.acknowledged.insert(value);
        self.book.findings.check(is_first, || format!("value {value} was acknowledged twice"));
        if process == self.process {
            let is_gone = self.book.is_gone(value);
            self.book.findings.check(is_gone, || format!("value {value} is not finished"));
        }
    }

    pub(super) fn crashed(&mut self) {
        self.process += 1;
        self.known.clear();
        self.book.forget_everything();
    }
}

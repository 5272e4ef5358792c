//! Who waits for which receipt, and whom an error of the server is about.

use crate::Error;
use crate::error;
use crate::limits::FORGOTTEN_RECEIPTS_MAX;
use crate::request::Tell;
use std::collections::HashMap;

/// Who waits for which receipt. Numbers only grow.
#[derive(Default)]
pub(crate) struct Receipts {
    waiting: HashMap<u64, Tell>,
    last: u64,
    /// The newest number that has come.
    seen: u64,
    /// The number before the newest frame that asked for none: an error may be about it, as long as no
    /// receipt of a later frame has come.
    silent_after: Option<u64>,
    /// More than so many are looked through for those that nobody waits for any more.
    sweep_at: usize,
}

impl Receipts {
    /// The number that the next frame is to ask for.
    pub(crate) fn next(&self) -> u64 {
        self.last + 1
    }

    /// That frame was written.
    pub(crate) fn wait(&mut self, tell: Tell) {
        self.last += 1;
        self.waiting.insert(self.last, tell);
        if self.waiting.len() > self.sweep_at {
            self.waiting.retain(|_, tell| !tell.is_closed());
            self.sweep_at = 2 * self.waiting.len() + FORGOTTEN_RECEIPTS_MAX;
        }
    }

    /// A frame was written that asks for none.
    pub(crate) fn unasked(&mut self) {
        self.silent_after = Some(self.last);
    }

    /// A receipt has come. Those that nobody waits for are no matter.
    pub(crate) fn came(&mut self, number: &str, connection: u64) {
        let Ok(number) = number.parse() else { return };
        self.seen = self.seen.max(number);
        if let Some(tell) = self.waiting.remove(&number) {
            let _ = tell.send(Ok(connection));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The server has complained: of this frame, if it says so, else of the only one that it can be.
    /// Whether it is known of which.
    pub(crate) fn blame(&mut self, number: Option<&str>, complaint: &Error) -> bool {
        let named = number.and_then(|number| self.waiting.remove(&number.parse().ok()?));
        let (tell, complaint) = match named {
            Some(tell) => (Some(tell), complaint.clone()),
            None => (self.only_one(), complaint.clone().outcome_open()),
        };
        tell.is_some_and(|tell| {
            let _ = tell.send(Err(complaint));
            true
        })
    }

    /// Nobody gets an answer any more.
    pub(crate) fn fail(&mut self, cause: &Error) {
        for (_, tell) in self.waiting.drain() {
            let _ = tell.send(Err(error::left_unanswered(cause)));
        }
    }

    fn only_one(&mut self) -> Option<Tell> {
        let may_be_silent = self.silent_after.is_some_and(|after| self.seen <= after);
        if may_be_silent || self.waiting.len() != 1 {
            return None;
        }
        self.waiting.drain().next().map(|(_, tell)| tell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Result};
    use tokio::sync::oneshot;

    type Answer = oneshot::Receiver<Result<u64>>;

    fn waiting(receipts: &mut Receipts) -> Answer {
        let (tell, told) = oneshot::channel();
        receipts.wait(tell);
        told
    }

    fn complaint() -> Error {
        Error::new(ErrorKind::Server, "no")
    }

    fn kind(mut answer: Answer) -> Option<ErrorKind> {
        answer.try_recv().ok().map(|answer| answer.unwrap_err().kind())
    }

    #[test]
    fn receipts_find_those_that_wait_in_any_order() {
        let mut receipts = Receipts::default();
        let (mut first, mut second) = (waiting(&mut receipts), waiting(&mut receipts));
        for number in ["2", "9", "x", "1"] {
            receipts.came(number, 5);
        }
        assert_eq!(
            (first.try_recv().unwrap().unwrap(), second.try_recv().unwrap().unwrap()),
            (5, 5)
        );
        assert!(receipts.is_empty());
    }

    #[test]
    fn a_complaint_is_about_the_frame_that_it_names() {
        let mut receipts = Receipts::default();
        let (first, second) = (waiting(&mut receipts), waiting(&mut receipts));
        assert!(receipts.blame(Some("2"), &complaint()));
        assert_eq!((kind(first), kind(second)), (None, Some(ErrorKind::Server)));
    }

    #[test]
    fn a_complaint_that_names_none_is_about_the_only_one() {
        let mut receipts = Receipts::default();
        let (first, second) = (waiting(&mut receipts), waiting(&mut receipts));
        assert!(!receipts.blame(None, &complaint()));
        receipts.came("1", 1);
        assert!(receipts.blame(None, &complaint()));
        drop(first);
        assert_eq!(kind(second), Some(ErrorKind::Server));
    }

    #[test]
    fn a_complaint_may_be_about_a_frame_that_asked_for_no_receipt() {
        let mut receipts = Receipts::default();
        receipts.unasked();
        let first = waiting(&mut receipts);
        assert!(!receipts.blame(None, &complaint()));
        receipts.fail(&complaint());
        assert_eq!(kind(first), Some(ErrorKind::Disconnected));
        let second = waiting(&mut receipts);
        // What came later was dealt with, so what came before was, too.
        let _third = waiting(&mut receipts);
        receipts.came("3", 1);
        assert!(receipts.blame(None, &complaint()));
        assert_eq!(kind(second), Some(ErrorKind::Server));
    }

    #[test]
    fn those_that_nobody_waits_for_are_forgotten() {
        let mut receipts = Receipts::default();
        let kept = waiting(&mut receipts);
        for _ in 0..10 * FORGOTTEN_RECEIPTS_MAX {
            drop(waiting(&mut receipts));
            assert!(receipts.waiting.len() <= FORGOTTEN_RECEIPTS_MAX + 5);
        }
        receipts.came("1", 1);
        drop(kept);
    }
}

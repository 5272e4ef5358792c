//! Replacing processes one after the other: the next one serves before the present one is told to leave.

use super::{Action, Outcome, Pace, Roster};
use std::collections::VecDeque;
use std::time::Duration;
use workyard_planted::planted;

#[derive(Debug)]
pub(super) struct Reload {
    pass: u64,
    pace: Pace,
    /// Slots whose turn has not come.
    left: VecDeque<usize>,
    /// The slot that is being replaced.
    present: Option<usize>,
}

impl Roster {
    pub(super) fn reload_slots(&mut self, left: VecDeque<usize>, pace: Pace, now: Duration) -> u64 {
        if pace != Pace::Gracefully {
            self.hurry_old(now);
        }
        if planted!("reload-is-swallowed") && self.reload.is_some() {
            return self.passes;
        }
        if let Some(next) = &mut self.next_reload {
            for index in left {
                if !next.left.contains(&index) {
                    next.left.push_back(index);
                }
            }
            next.pace = next.pace.max(pace);
            return next.pass;
        }
        self.passes += 1;
        let pass = self.passes;
        let reload = Reload { pass, pace, left, present: None };
        if self.stopping.is_some() {
            self.actions.push(Action::Reloaded { pass, outcome: Outcome::Stopped });
        } else if self.reload.is_some() {
            self.next_reload = Some(reload);
        } else {
            self.reload = Some(reload);
            self.advance(now);
        }
        pass
    }

    /// Starts the replacement of the next slot, or ends the reload.
    fn advance(&mut self, now: Duration) {
        let Some(reload) = &mut self.reload else { return };
        reload.present = reload.left.pop_front();
        let Some(index) = reload.present else { return self.end_reload(Outcome::Done, now) };
        let mut process = self.spawn(index, now);
        process.limit_start();
        let slot = &mut self.slots[index];
        if planted!("replaced-before-it-serves")
            && let Some(present) = &mut slot.current
        {
            present.give_way(Pace::Soon, Duration::ZERO, now, &mut self.actions);
        }
        slot.respawn_at = None;
        slot.replacement = Some(process);
    }

    /// A replacement serves: it takes the place, and who had it leaves.
    pub(super) fn replace(&mut self, index: usize, now: Duration) {
        let slot = &mut self.slots[index];
        let pace = self.reload.as_ref().map_or(Pace::Soon, |reload| reload.pace);
        let replaced = slot.current.take();
        slot.current = slot.replacement.take();
        let timeout = self.plans[slot.place.worker].stop_timeout;
        if let Some(mut process) = replaced {
            process.give_way(pace, timeout, now, &mut self.actions);
            slot.old.push(process);
        }
        if pace != Pace::Gracefully {
            slot.old.iter_mut().for_each(|process| process.limit_leaving(timeout, now));
        }
        self.left(index, now);
    }

    /// It is the next one's turn when a place has its replacement, and nobody else.
    pub(super) fn left(&mut self, index: usize, now: Duration) {
        let slot = &self.slots[index];
        let is_replaced = slot.replacement.is_none() && slot.old.is_empty();
        if is_replaced && self.reload.as_ref().is_some_and(|it| it.present == Some(index)) {
            self.advance(now);
        }
    }

    pub(super) fn end_reload(&mut self, outcome: Outcome, now: Duration) {
        if let Some(reload) = self.reload.take() {
            self.actions.push(Action::Reloaded { pass: reload.pass, outcome });
        }
        if let Some(next) = self.next_reload.take() {
            self.reload = Some(next);
            self.advance(now);
        }
    }

    /// Nothing is replaced any more.
    pub(super) fn drop_reloads(&mut self) {
        for reload in [self.reload.take(), self.next_reload.take()].into_iter().flatten() {
            self.actions.push(Action::Reloaded { pass: reload.pass, outcome: Outcome::Stopped });
        }
    }

    fn hurry_old(&mut self, now: Duration) {
        for slot in &mut self.slots {
            let timeout = self.plans[slot.place.worker].stop_timeout;
            slot.old.iter_mut().for_each(|process| process.limit_leaving(timeout, now));
        }
    }
}

//! Which processes there are to be: decides, and neither starts nor kills one itself. Time is passed in.

mod reload;
mod slot;

use reload::Reload;
use slot::{Process, Slot, State};
use std::collections::VecDeque;
use std::time::Duration;

/// Who is told twice by one hand, as by Ctrl-C and its shell, is not told to hurry.
const INTERRUPTS_APART: Duration = Duration::from_millis(500);

/// A process, as the roster counts them.
pub(crate) type Token = u64;

/// What the roster must know of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) count: u16,
    pub(crate) reloadable: bool,
    pub(crate) stop_timeout: Duration,
}

/// A place that one process at a time fills: the worker by its index, and an id below its count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) worker: usize,
    pub(crate) id: u16,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Spawn {
        token: Token,
        place: Place,
    },
    Tell {
        token: Token,
        what: Told,
    },
    Kill {
        token: Token,
    },
    /// For the first time, each place has a process that serves.
    Started,
    /// Before that, a process ended that was not ready.
    StartFailed {
        token: Token,
        place: Place,
    },
    /// A reload is over.
    Reloaded {
        pass: u64,
        outcome: Outcome,
    },
    /// The roster was stopped and has no process any more.
    Finished,
}

/// How a reload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// This process was to take a place and ended before it could; who had the place serves on.
    Failed(Token, Place),
    /// It was told to stop before.
    Stopped,
}

/// What a process is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Stop,
    StopGracefully,
    Reloaded,
}

/// How urgent leaving is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// When the last connection has gone, however long that takes.
    Gracefully,
    /// Within the worker's stop timeout.
    Soon,
    /// Killed.
    AtOnce,
}

/// All places, and what is going on.
#[derive(Debug)]
pub(crate) struct Roster {
    plans: Vec<Plan>,
    slots: Vec<Slot>,
    tokens: Token,
    started: bool,
    stopping: Option<Pace>,
    interrupted_at: Option<Duration>,
    reload: Option<Reload>,
    /// What is reloaded when the present reload is over.
    next_reload: Option<Reload>,
    passes: u64,
    actions: Vec<Action>,
}

impl Roster {
    pub(crate) fn new(plans: Vec<Plan>) -> Self {
        let places = plans.iter().enumerate().flat_map(|(worker, plan)| {
            (0..plan.count).map(move |id| Slot::new(Place { worker, id }))
        });
        Self {
            slots: places.collect(),
            plans,
            tokens: 0,
            started: false,
            stopping: None,
            interrupted_at: None,
            reload: None,
            next_reload: None,
            passes: 0,
            actions: Vec::new(),
        }
    }

    /// What is to be done since this was asked last.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Fills all places.
    pub(crate) fn start(&mut self, now: Duration) {
        for index in 0..self.slots.len() {
            self.fill(index, now);
        }
        self.note_started();
    }

    /// A process serves.
    pub(crate) fn ready(&mut self, token: Token, now: Duration) {
        let Some(index) = self.slots.iter().position(|slot| slot.holds(token)) else { return };
        if self.slots[index].ready(token) {
            self.replace(index, now);
        }
        self.note_started();
    }

    /// A process has ended, or could not be started.
    pub(crate) fn exited(&mut self, token: Token, now: Duration) {
        let Some(index) = self.slots.iter().position(|slot| slot.holds(token)) else { return };
        let slot = &mut self.slots[index];
        let place = slot.place;
        if slot.take_old(token) {
            self.step_aside(index, now);
            self.left(index, now);
        } else if slot.take_replacement(token) {
            slot.refill_later(now);
            self.end_reload(Outcome::Failed(token, place), now);
        } else {
            let was_ready = slot.lose_current(token, now);
            if !self.started && !was_ready && self.stopping.is_none() {
                self.actions.push(Action::StartFailed { token, place });
            }
        }
        if self.stopping.is_some() {
            self.slots[index].respawn_at = None;
        }
        self.refill(now);
        self.note_finished();
    }

    /// A process accepts no more connections, and ends, whether it was told to or not. Another takes its place
    /// meanwhile.
    pub(crate) fn leaves(&mut self, token: Token, pace: Pace, now: Duration) {
        let Some(index) = self.slots.iter().position(|slot| slot.holds(token)) else { return };
        let slot = &mut self.slots[index];
        let timeout = self.plans[slot.place.worker].stop_timeout;
        let process = slot.processes().find(|process| process.token == token);
        if let Some(process) = process {
            process.leaves(pace, timeout, now);
        }
        self.step_aside(index, now);
        self.refill(now);
    }

    /// Who leaves by itself makes room, as soon as there is some.
    fn step_aside(&mut self, index: usize, now: Duration) {
        if self.stopping.is_none() {
            self.slots[index].step_aside(now);
        }
    }

    /// Replaces the processes of all workers that may be, one after the other; tells the number by
    /// which the end is known. Asked during a reload, it begins when that is over.
    pub(crate) fn reload(&mut self, pace: Pace, now: Duration) -> u64 {
        for slot in &self.slots {
            if let (false, Some(process)) =
                (self.plans[slot.place.worker].reloadable, &slot.current)
            {
                self.actions.push(Action::Tell { token: process.token, what: Told::Reloaded });
            }
        }
        let plans = &self.plans;
        let reloadable = |index: &usize| plans[self.slots[*index].place.worker].reloadable;
        let slots: VecDeque<usize> = (0..self.slots.len()).filter(reloadable).collect();
        self.reload_slots(slots, pace, now)
    }

    /// Replaces one process, if it serves.
    pub(crate) fn reload_one(&mut self, token: Token, now: Duration) {
        let found = self.slots.iter().position(|slot| slot.is_current(token));
        if let Some(index) = found {
            self.reload_slots(VecDeque::from([index]), Pace::Soon, now);
        }
    }

    /// How urgent it is for somebody who says again that all is to stop: some time after the first time, there is
    /// no patience left.
    pub(crate) fn interrupt(&mut self, now: Duration) -> Pace {
        let first = *self.interrupted_at.get_or_insert(now);
        if now >= first + INTERRUPTS_APART { Pace::AtOnce } else { Pace::Soon }
    }

    /// Ends all processes and fills no place any more. It can be asked again to hurry, but not to slow down.
    pub(crate) fn stop(&mut self, pace: Pace, now: Duration) {
        if self.stopping.is_some_and(|present| present >= pace) {
            return;
        }
        self.stopping = Some(pace);
        self.drop_reloads();
        for slot in &mut self.slots {
            slot.respawn_at = None;
            let timeout = self.plans[slot.place.worker].stop_timeout;
            for process in slot.processes() {
                process.leave(pace, timeout, now, &mut self.actions);
            }
        }
        self.note_finished();
    }

    /// What is due is done.
    pub(crate) fn tick(&mut self, now: Duration) {
        for slot in &mut self.slots {
            for process in slot.processes() {
                process.tick(now, &mut self.actions);
            }
        }
        self.refill(now);
    }

    /// When [`Roster::tick`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.slots.iter().filter_map(Slot::next_deadline).min()
    }

    fn refill(&mut self, now: Duration) {
        for index in 0..self.slots.len() {
            if self.slots[index].respawn_at.is_some_and(|due| due <= now) {
                self.fill(index, now);
            }
        }
    }

    fn fill(&mut self, index: usize, now: Duration) {
        let process = self.spawn(index, now);
        let slot = &mut self.slots[index];
        slot.respawn_at = None;
        slot.current = Some(process);
    }

    fn spawn(&mut self, index: usize, now: Duration) -> Process {
        self.tokens += 1;
        let token = self.tokens;
        self.actions.push(Action::Spawn { token, place: self.slots[index].place });
        Process::new(token, now)
    }

    fn note_started(&mut self) {
        let is_ready = |slot: &Slot| {
            slot.current.as_ref().is_some_and(|process| process.state == State::Ready)
        };
        if !self.started && self.slots.iter().all(is_ready) {
            self.started = true;
            self.actions.push(Action::Started);
        }
    }

    fn note_finished(&mut self) {
        if self.stopping.is_some() && self.slots.iter().all(Slot::is_empty) {
            self.actions.push(Action::Finished);
        }
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

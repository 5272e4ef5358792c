//! One place of the roster: the process that fills it, the one that is to, and the one that leaves.

use super::{Action, Pace, Place, Token, Told};
use std::time::Duration;
use workyard_planted::planted;

/// A process that ends sooner than this after its start has not really served.
const LIVED: Duration = Duration::from_secs(1);
/// How long after a process ended early the next is started: doubled each time, up to a limit.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// A replacement that is not ready by then will not be.
const REPLACEMENT_START_MAX: Duration = Duration::from_secs(60);

/// Processes of one place that have not ended yet. Beyond that, who leaves by itself keeps its place so long.
const OLD_MAX: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Starting,
    Ready,
    Leaving,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) token: Token,
    pub(super) state: State,
    started_at: Duration,
    /// When patience with its connections ends.
    hurry_at: Option<Duration>,
    kill_at: Option<Duration>,
    killed: bool,
}

impl Process {
    pub(super) fn new(token: Token, now: Duration) -> Self {
        let state = State::Starting;
        Self { token, state, started_at: now, hurry_at: None, kill_at: None, killed: false }
    }

    /// A process that takes too long to become ready is killed.
    pub(super) fn limit_start(&mut self) {
        self.kill_at = Some(self.started_at + REPLACEMENT_START_MAX);
    }

    /// Is told to leave, all connections at once or, with [`Pace::Gracefully`], as they end.
    pub(super) fn leave(
        &mut self,
        pace: Pace,
        timeout: Duration,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let before = std::mem::replace(&mut self.state, State::Leaving);
        let token = self.token;
        match pace {
            // It leaves already, and not later for being asked again.
            Pace::Gracefully if before == State::Leaving => {}
            Pace::Gracefully if before == State::Ready => {
                actions.push(Action::Tell { token, what: Told::StopGracefully });
            }
            // Who has not begun to serve has nobody to wait for.
            Pace::Gracefully | Pace::Soon if self.killed => {}
            Pace::Gracefully | Pace::Soon => {
                self.hurry_at = None;
                let kill_at = if planted!("killed-too-early") { now } else { now + timeout };
                self.kill_at = Some(self.kill_at.map_or(kill_at, |due| due.min(kill_at)));
                actions.push(Action::Tell { token, what: Told::Stop });
            }
            Pace::AtOnce => self.kill(actions),
        }
    }

    /// Leaves, whether it was told to or not.
    pub(super) fn leaves(&mut self, pace: Pace, timeout: Duration, now: Duration) {
        let was_leaving = std::mem::replace(&mut self.state, State::Leaving) == State::Leaving;
        if pace != Pace::Gracefully && !was_leaving {
            self.kill_at = Some(now + timeout);
        }
    }

    /// Is told to leave because another has taken its place. Its connections have half of the timeout to
    /// end by themselves, before it is told to stop.
    pub(super) fn give_way(
        &mut self,
        pace: Pace,
        timeout: Duration,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        self.leave(Pace::Gracefully, timeout, now, actions);
        if pace != Pace::Gracefully {
            self.limit_leaving(timeout, now);
        }
    }

    /// From now on, it does not leave as slowly as it likes.
    pub(super) fn limit_leaving(&mut self, timeout: Duration, now: Duration) {
        if self.kill_at.is_none() && !self.killed {
            self.hurry_at = Some(now + timeout / 2);
            self.kill_at = Some(now + timeout / 2 + timeout);
        }
    }

    pub(super) fn tick(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.kill_at.is_some_and(|due| due <= now) {
            self.kill(actions);
        } else if self.hurry_at.is_some_and(|due| due <= now) {
            self.hurry_at = None;
            actions.push(Action::Tell { token: self.token, what: Told::Stop });
        }
    }

    fn kill(&mut self, actions: &mut Vec<Action>) {
        self.hurry_at = None;
        self.kill_at = None;
        if !std::mem::replace(&mut self.killed, true) {
            actions.push(Action::Kill { token: self.token });
        }
    }
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) place: Place,
    /// Serves, or is about to.
    pub(super) current: Option<Process>,
    /// Takes the place of `current` when it is ready.
    pub(super) replacement: Option<Process>,
    /// Those that leave while another has the place, or is to.
    pub(super) old: Vec<Process>,
    /// When the place is filled again.
    pub(super) respawn_at: Option<Duration>,
    backoff: Duration,
}

impl Slot {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            current: None,
            replacement: None,
            old: Vec::new(),
            respawn_at: None,
            backoff: BACKOFF_FIRST,
        }
    }

    pub(super) fn holds(&self, token: Token) -> bool {
        self.all().any(|process| process.token == token)
    }

    pub(super) fn is_current(&self, token: Token) -> bool {
        self.current.as_ref().is_some_and(|process| process.token == token)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current.is_none() && self.replacement.is_none() && self.old.is_empty()
    }

    pub(super) fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        let serving = [&mut self.current, &mut self.replacement].into_iter().flatten();
        serving.chain(&mut self.old)
    }

    fn all(&self) -> impl Iterator<Item = &Process> {
        [&self.current, &self.replacement].into_iter().flatten().chain(&self.old)
    }

    /// Notes that a process serves; tells whether it is a replacement that has to take its place.
    pub(super) fn ready(&mut self, token: Token) -> bool {
        let starting =
            |process: &&mut Process| process.token == token && process.state == State::Starting;
        let Some(process) = self.processes().find(starting) else { return false };
        process.state = State::Ready;
        process.kill_at = None;
        self.replacement.as_ref().is_some_and(|process| process.token == token)
    }

    pub(super) fn take_old(&mut self, token: Token) -> bool {
        let before = self.old.len();
        self.old.retain(|process| process.token != token);
        self.old.len() < before
    }

    pub(super) fn take_replacement(&mut self, token: Token) -> bool {
        self.replacement.take_if(|process| process.token == token).is_some()
    }

    /// The place is empty: says when it is filled again, and whether the process had been ready.
    pub(super) fn lose_current(&mut self, token: Token, now: Duration) -> bool {
        let Some(process) = self.current.take_if(|process| process.token == token) else {
            return false;
        };
        let was_ready = process.state != State::Starting;
        self.refill_after(&process, now);
        was_ready
    }

    /// Who leaves by itself ends beside the next one. Who was told to has made room already.
    pub(super) fn step_aside(&mut self, now: Duration) {
        if self.old.len() < OLD_MAX
            && let Some(process) = self.current.take_if(|it| it.state == State::Leaving)
        {
            self.refill_after(&process, now);
            self.old.push(process);
        }
    }

    /// The place is filled again after a process that was not replaced.
    fn refill_after(&mut self, process: &Process, now: Duration) {
        let was_ready = process.state != State::Starting;
        if planted!("crash-loop-is-not-slowed") {
            self.respawn_at = Some(now);
        } else if was_ready && now.saturating_sub(process.started_at) >= LIVED {
            self.backoff = BACKOFF_FIRST;
            self.respawn_at = Some(now);
        } else {
            self.respawn_at = Some(now + self.backoff);
            self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
        }
        if self.replacement.is_some() {
            self.respawn_at = None;
        }
    }

    /// After a replacement that did not come up: the place is not left empty for that.
    pub(super) fn refill_later(&mut self, now: Duration) {
        if self.current.is_none() {
            self.respawn_at = Some(now + self.backoff);
            self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let of_processes =
            self.all().flat_map(|process| [process.hurry_at, process.kill_at]).flatten();
        of_processes.chain(self.respawn_at).min()
    }
}

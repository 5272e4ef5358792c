//! Random lives of services, with what must hold at each moment.

use super::{Action, Pace, Place, Plan, Roster, Token, Told};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);

/// What may happen next. Indexes choose among the processes that there are.
#[derive(Clone, Debug)]
enum Step {
    Ready(prop::sample::Index),
    /// One ends that was not told to.
    Dies(prop::sample::Index),
    /// One ends that was told to.
    Leaves(prop::sample::Index),
    /// One that was not told to accepts no more, and is about to end.
    LeavesByItself(prop::sample::Index, bool),
    Passes(u64),
    Reload(bool),
    ReloadOne(prop::sample::Index),
    Stop(bool),
    Interrupt,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => index().prop_map(Step::Ready),
        1 => index().prop_map(Step::Dies),
        8 => index().prop_map(Step::Leaves),
        2 => (index(), any::<bool>()).prop_map(|(one, graceful)| Step::LeavesByItself(one, graceful)),
        6 => (0..3000_u64).prop_map(Step::Passes),
        2 => any::<bool>().prop_map(Step::Reload),
        1 => index().prop_map(Step::ReloadOne),
        1 => any::<bool>().prop_map(Step::Stop),
        1 => Just(Step::Interrupt),
    ]
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan = (1..4_u16, prop::bool::weighted(0.8)).prop_map(|(count, reloadable)| Plan {
        count,
        reloadable,
        stop_timeout: TIMEOUT,
    });
    prop::collection::vec(plan, 1..3)
}

#[derive(Clone, Copy, Debug)]
struct Process {
    place: Place,
    ready: bool,
    /// When it was told to leave first, and when with a limit.
    told_at: Option<Duration>,
    limited_at: Option<Duration>,
    spawned_at: Duration,
}

impl Process {
    /// Whether it has something to do: to become ready, or to leave.
    fn is_expected(&self) -> bool {
        !self.ready || self.told_at.is_some()
    }
}

/// The processes that a roster has asked for.
#[derive(Debug, Default)]
struct World {
    now: Duration,
    processes: BTreeMap<Token, Process>,
    /// Reloads whose end was told.
    reloaded: BTreeSet<u64>,
    /// Who was killed, and has not been seen to end.
    killed: Vec<Token>,
    stops: u32,
    interrupted_at: Option<Duration>,
    finished: bool,
    /// Places that lost their process other than by replacement, and are not filled yet.
    lost: BTreeSet<Place>,
}

impl World {
    /// Does what the roster wants, until it wants nothing more.
    fn settle(&mut self, roster: &mut Roster) {
        self.take(roster);
        while let Some(token) = self.killed.pop() {
            self.end(token);
            roster.exited(token, self.now);
            self.take(roster);
        }
    }

    fn take(&mut self, roster: &mut Roster) {
        for action in roster.take_actions() {
            assert!(!self.finished, "{action:?} after the end");
            match action {
                Action::Spawn { token, place } => self.spawn(token, place),
                Action::Tell { token, what } => self.tell(token, what),
                Action::Kill { token } => self.kill(token),
                Action::Reloaded { pass, .. } => {
                    assert!(self.reloaded.insert(pass), "{pass} twice");
                }
                Action::Finished => self.finished = true,
                Action::Started | Action::StartFailed { .. } => {}
            }
        }
        self.check();
    }

    fn spawn(&mut self, token: Token, place: Place) {
        assert_eq!(self.stops, 0, "a process was started although the service stops");
        let (spawned_at, ready) = (self.now, false);
        let process = Process { place, ready, told_at: None, limited_at: None, spawned_at };
        assert!(self.processes.insert(token, process).is_none());
    }

    fn tell(&mut self, token: Token, what: Told) {
        let now = self.now;
        let process = self.processes.get_mut(&token).expect("only processes are told");
        match what {
            Told::Reloaded => {}
            Told::StopGracefully => {
                process.told_at.get_or_insert(now);
            }
            Told::Stop => {
                process.told_at.get_or_insert(now);
                process.limited_at.get_or_insert(now);
            }
        }
    }

    fn kill(&mut self, token: Token) {
        let process = self.processes[&token];
        let never_ready =
            !process.ready && self.now >= process.spawned_at + Duration::from_secs(60);
        let waited = process.limited_at.is_some_and(|since| self.now >= since + TIMEOUT);
        assert!(
            never_ready || waited || self.is_interrupted_again(),
            "killed early: {process:?} at {:?}",
            self.now
        );
        self.killed.push(token);
    }

    fn is_interrupted_again(&self) -> bool {
        self.interrupted_at.is_some_and(|first| self.now >= first + Duration::from_millis(500))
    }

    fn end(&mut self, token: Token) {
        let process = self.processes.remove(&token).expect("it has been there");
        if process.told_at.is_none() {
            self.lost.insert(process.place);
        }
    }

    /// Never two that serve at one place, and never none because of a reload.
    fn check(&mut self) {
        let serves = |process: &&Process| process.ready && process.told_at.is_none();
        let mut serving = BTreeSet::new();
        for process in self.processes.values().filter(serves) {
            assert!(serving.insert(process.place), "two serve at {:?}", process.place);
        }
        self.lost.retain(|place| !serving.contains(place));
        if self.stops > 0 {
            return;
        }
        for process in self.processes.values().filter(|process| process.told_at.is_some()) {
            let place = process.place;
            let is_served = serving.contains(&place) || self.lost.contains(&place);
            assert!(is_served, "nobody serves at {place:?}");
        }
    }

    fn pick(
        &self,
        index: prop::sample::Index,
        matches: impl Fn(&Process) -> bool,
    ) -> Option<Token> {
        let fitting = self.processes.iter().filter(|(_, process)| matches(process));
        let tokens: Vec<Token> = fitting.map(|(token, _)| *token).collect();
        (!tokens.is_empty()).then(|| *index.get(&tokens))
    }

    fn apply(&mut self, step: &Step, roster: &mut Roster) {
        match step {
            Step::Ready(index) => {
                let waiting = |process: &Process| !process.ready && process.told_at.is_none();
                let Some(token) = self.pick(*index, waiting) else { return };
                self.serve(token, roster);
            }
            Step::Dies(index) => self.exit(self.pick(*index, |_| true), roster),
            Step::Leaves(index) => {
                self.exit(self.pick(*index, |process| process.told_at.is_some()), roster);
            }
            Step::LeavesByItself(index, graceful) => {
                let serves = |process: &Process| process.ready && process.told_at.is_none();
                let Some(token) = self.pick(*index, serves) else { return };
                self.leave(token, *graceful, roster);
            }
            Step::Passes(milliseconds) => self.pass(Duration::from_millis(*milliseconds), roster),
            Step::Reload(graceful) => {
                roster.reload(pace(*graceful), self.now);
            }
            Step::ReloadOne(index) => {
                let Some(token) = self.pick(*index, |process| process.ready) else { return };
                roster.reload_one(token, self.now);
            }
            Step::Stop(graceful) => {
                self.stops += 1;
                roster.stop(pace(*graceful), self.now);
            }
            Step::Interrupt => {
                self.stops += 1;
                self.interrupted_at.get_or_insert(self.now);
                let pace = roster.interrupt(self.now);
                roster.stop(pace, self.now);
            }
        }
    }

    fn serve(&mut self, token: Token, roster: &mut Roster) {
        self.processes.get_mut(&token).expect("it is there").ready = true;
        roster.ready(token, self.now);
    }

    fn leave(&mut self, token: Token, graceful: bool, roster: &mut Roster) {
        let process = self.processes.get_mut(&token).expect("it is there");
        process.told_at = Some(self.now);
        process.limited_at = (!graceful).then_some(self.now);
        self.lost.insert(process.place);
        roster.leaves(token, pace(graceful), self.now);
    }

    /// How many serve and go on doing so.
    fn serving(&self) -> usize {
        let serve = |process: &&Process| process.ready && process.told_at.is_none();
        self.processes.values().filter(serve).count()
    }

    fn exit(&mut self, token: Option<Token>, roster: &mut Roster) {
        let Some(token) = token else { return };
        self.end(token);
        roster.exited(token, self.now);
    }

    /// Time passes, from one deadline to the next.
    fn pass(&mut self, duration: Duration, roster: &mut Roster) {
        let until = self.now + duration;
        while let Some(due) = roster.next_deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            roster.tick(self.now);
            self.settle(roster);
        }
        self.now = until;
    }
}

fn pace(graceful: bool) -> Pace {
    if graceful { Pace::Gracefully } else { Pace::Soon }
}

proptest! {
    #[test]
    fn whatever_happens_it_holds(plans in plans(), steps in prop::collection::vec(step(), 0..60)) {
        let mut roster = Roster::new(plans);
        let mut world = World::default();
        roster.start(world.now);
        world.settle(&mut roster);
        for step in &steps {
            world.apply(step, &mut roster);
            world.settle(&mut roster);
            if world.finished {
                break;
            }
        }
        if !world.finished {
            world.apply(&Step::Stop(false), &mut roster);
            world.settle(&mut roster);
            world.pass(TIMEOUT, &mut roster);
        }
        prop_assert!(world.finished && world.processes.is_empty(), "{world:?}");
        prop_assert_eq!(world.reloaded, (1..=roster.passes).collect::<BTreeSet<_>>());
        prop_assert_eq!(roster.next_deadline(), None);
    }

    /// A service that nobody stops comes back to one process for each place.
    #[test]
    fn all_places_are_filled_in_the_end(plans in plans(), steps in prop::collection::vec(step(), 0..40)) {
        let places: u16 = plans.iter().map(|plan| plan.count).sum();
        let mut roster = Roster::new(plans);
        let mut world = World::default();
        roster.start(world.now);
        world.settle(&mut roster);
        for step in steps.iter().filter(|step| !matches!(step, Step::Stop(_) | Step::Interrupt)) {
            world.apply(step, &mut roster);
            world.settle(&mut roster);
        }
        // Everybody does what is expected of them, until nothing more is.
        let settled = |world: &World| {
            let places = usize::from(places);
            world.serving() == places && world.processes.len() == places
        };
        while roster.reload.is_some() || !settled(&world) {
            let (token, process) = match world.processes.iter().find(|(_, one)| one.is_expected()) {
                Some((token, process)) => (*token, *process),
                None => {
                    prop_assert!(roster.next_deadline().is_some(), "{roster:?}");
                    world.pass(Duration::from_secs(1), &mut roster);
                    continue;
                }
            };
            match process.told_at {
                Some(_) => world.exit(Some(token), &mut roster),
                None => world.serve(token, &mut roster),
            }
            world.settle(&mut roster);
        }
        let left = world.processes.len();
        prop_assert_eq!(left, usize::from(places), "{:?}", world);
    }
}

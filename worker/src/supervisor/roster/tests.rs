//! What the roster decides, step by step.

use super::{Action, Outcome, Pace, Place, Plan, Roster, Told};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn plan(count: u16) -> Plan {
    Plan { count, reloadable: true, stop_timeout: TIMEOUT }
}

fn spawn(token: u64, worker: usize, id: u16) -> Action {
    Action::Spawn { token, place: Place { worker, id } }
}

fn tell(token: u64, what: Told) -> Action {
    Action::Tell { token, what }
}

fn done(pass: u64) -> Action {
    Action::Reloaded { pass, outcome: Outcome::Done }
}

/// All processes run and are ready.
fn started(plans: Vec<Plan>) -> Roster {
    let mut roster = Roster::new(plans);
    roster.start(at(0));
    for action in roster.take_actions() {
        let Action::Spawn { token, .. } = action else { panic!("{action:?}") };
        roster.ready(token, at(10));
    }
    assert_eq!(roster.take_actions(), [Action::Started]);
    roster
}

#[test]
fn each_place_is_filled_and_refilled() {
    let mut roster = Roster::new(vec![plan(2), plan(1)]);
    roster.start(at(0));
    assert_eq!(roster.take_actions(), [spawn(1, 0, 0), spawn(2, 0, 1), spawn(3, 1, 0)]);
    for token in 1..=3 {
        roster.ready(token, at(5));
    }
    assert_eq!(roster.take_actions(), [Action::Started]);
    roster.exited(2, at(5000));
    assert_eq!(roster.take_actions(), [spawn(4, 0, 1)]);
    assert_eq!(roster.next_deadline(), None);
}

#[test]
fn who_dies_early_is_started_later_each_time() {
    let mut roster = Roster::new(vec![plan(1)]);
    roster.start(at(0));
    let mut now = at(0);
    for (token, wait) in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000].iter().enumerate() {
        let token = token as u64 + 1;
        let place = Place { worker: 0, id: 0 };
        assert_eq!(roster.take_actions(), [spawn(token, 0, 0)]);
        roster.exited(token, now);
        assert_eq!(roster.take_actions(), [Action::StartFailed { token, place }]);
        assert_eq!(roster.next_deadline(), Some(now + at(*wait)));
        now += at(*wait);
        roster.tick(now - at(1));
        assert_eq!(roster.take_actions(), []);
        roster.tick(now);
    }
    roster.ready(10, now);
    roster.exited(10, now + at(1000));
    assert_eq!(roster.take_actions(), [spawn(10, 0, 0), Action::Started, spawn(11, 0, 0)]);
}

#[test]
fn who_was_ready_and_dies_within_a_second_waits_too() {
    let mut roster = started(vec![plan(1)]);
    roster.exited(1, at(999));
    assert_eq!(roster.take_actions(), []);
    assert_eq!(roster.next_deadline(), Some(at(1099)));
}

#[test]
fn a_reload_goes_from_one_to_the_next() {
    let mut roster = started(vec![plan(2)]);
    assert_eq!(roster.reload(Pace::Soon, at(100)), 1);
    assert_eq!(roster.take_actions(), [spawn(3, 0, 0)]);
    roster.ready(3, at(200));
    assert_eq!(roster.take_actions(), [tell(1, Told::StopGracefully)]);
    assert_eq!(roster.next_deadline(), Some(at(1200)));
    roster.tick(at(1200));
    assert_eq!(roster.take_actions(), [tell(1, Told::Stop)]);
    roster.tick(at(3199));
    assert_eq!(roster.take_actions(), []);
    roster.tick(at(3200));
    assert_eq!(roster.take_actions(), [Action::Kill { token: 1 }]);
    roster.exited(1, at(3201));
    assert_eq!(roster.take_actions(), [spawn(4, 0, 1)]);
    roster.ready(4, at(3300));
    roster.exited(2, at(3301));
    assert_eq!(roster.take_actions(), [tell(2, Told::StopGracefully), done(1)]);
    assert_eq!(roster.next_deadline(), None);
}

#[test]
fn a_graceful_reload_waits_without_limit_until_it_is_hurried() {
    let mut roster = started(vec![plan(1)]);
    roster.reload(Pace::Gracefully, at(100));
    roster.ready(2, at(200));
    assert_eq!(roster.take_actions(), [spawn(2, 0, 0), tell(1, Told::StopGracefully)]);
    assert_eq!(roster.next_deadline(), None);
    assert_eq!(roster.reload(Pace::Soon, at(60_000)), 2);
    assert_eq!(roster.next_deadline(), Some(at(61_000)));
    roster.exited(1, at(60_500));
    assert_eq!(roster.take_actions(), [done(1), spawn(3, 0, 0)]);
}

#[test]
fn a_replacement_that_does_not_come_up_changes_nothing() {
    let mut roster = started(vec![plan(2)]);
    roster.reload(Pace::Soon, at(100));
    roster.exited(3, at(150));
    let failed = Outcome::Failed(3, Place { worker: 0, id: 0 });
    let over = Action::Reloaded { pass: 1, outcome: failed };
    assert_eq!(roster.take_actions(), [spawn(3, 0, 0), over]);
    assert_eq!(roster.next_deadline(), None);
    roster.reload(Pace::Soon, at(5000));
    roster.tick(at(64_999));
    assert_eq!(roster.take_actions(), [spawn(4, 0, 0)]);
    roster.tick(at(65_000));
    assert_eq!(roster.take_actions(), [Action::Kill { token: 4 }]);
}

#[test]
fn who_dies_while_it_is_replaced_is_not_started_twice() {
    let mut roster = started(vec![plan(1)]);
    roster.reload(Pace::Soon, at(2000));
    roster.exited(1, at(2100));
    assert_eq!(roster.take_actions(), [spawn(2, 0, 0)]);
    assert_eq!(roster.next_deadline(), Some(at(62_000)));
    roster.ready(2, at(2200));
    assert_eq!(roster.take_actions(), [done(1)]);
    roster.reload(Pace::Soon, at(3000));
    roster.exited(2, at(4100));
    roster.exited(3, at(4200));
    assert_eq!(roster.take_actions().len(), 2);
    assert_eq!(roster.next_deadline(), Some(at(4300)));
}

#[test]
fn workers_that_are_not_reloadable_hear_of_it() {
    let mut roster = started(vec![Plan { reloadable: false, ..plan(2) }, plan(1)]);
    roster.reload(Pace::Soon, at(100));
    let expected = [tell(1, Told::Reloaded), tell(2, Told::Reloaded), spawn(4, 1, 0)];
    assert_eq!(roster.take_actions(), expected);
    let mut roster = started(vec![Plan { reloadable: false, ..plan(1) }]);
    roster.reload(Pace::Soon, at(100));
    assert_eq!(roster.take_actions(), [tell(1, Told::Reloaded), done(1)]);
}

#[test]
fn one_process_can_be_replaced_alone() {
    let mut roster = started(vec![plan(2)]);
    roster.reload_one(2, at(100));
    roster.reload_one(7, at(100));
    assert_eq!(roster.take_actions(), [spawn(3, 0, 1)]);
}

#[test]
fn who_leaves_by_itself_ends_beside_the_next() {
    let mut roster = started(vec![plan(1)]);
    roster.leaves(1, Pace::Soon, at(5000));
    roster.leaves(1, Pace::Soon, at(5001));
    assert_eq!(roster.take_actions(), [spawn(2, 0, 0)]);
    roster.ready(2, at(5100));
    // This one may take its time, but has not lived long.
    roster.leaves(2, Pace::Gracefully, at(5200));
    assert_eq!(roster.next_deadline(), Some(at(5300)));
    roster.tick(at(5300));
    assert_eq!(roster.take_actions(), [spawn(3, 0, 0)]);
    roster.tick(at(7000));
    assert_eq!(roster.take_actions(), [Action::Kill { token: 1 }]);
    roster.exited(1, at(7001));
    assert_eq!(roster.next_deadline(), None);
    roster.exited(2, at(60_000));
    assert_eq!(roster.take_actions(), []);
}

#[test]
fn so_many_at_most_end_at_one_place() {
    let mut roster = started(vec![plan(1)]);
    for token in 1..=3 {
        let now = at(token * 10_000);
        roster.leaves(token, Pace::Gracefully, now);
        assert_eq!(roster.take_actions(), [spawn(token + 1, 0, 0)]);
        roster.ready(token + 1, now);
    }
    roster.leaves(4, Pace::Soon, at(40_000));
    assert_eq!((roster.take_actions(), roster.next_deadline()), (vec![], Some(at(42_000))));
    roster.exited(2, at(41_000));
    assert_eq!(roster.take_actions(), [spawn(5, 0, 0)]);
}

#[test]
fn a_reload_waits_for_who_leaves_by_itself() {
    let mut roster = started(vec![plan(2)]);
    roster.reload(Pace::Soon, at(5000));
    roster.leaves(1, Pace::Gracefully, at(5001));
    assert_eq!(roster.take_actions(), [spawn(3, 0, 0)]);
    roster.ready(3, at(5100));
    assert_eq!((roster.take_actions(), roster.next_deadline()), (vec![], Some(at(6100))));
    roster.exited(1, at(5200));
    assert_eq!(roster.take_actions(), [spawn(4, 0, 1)]);
    // Its end does not stand for the replacement's beginning.
    roster.leaves(2, Pace::Soon, at(5300));
    roster.exited(2, at(5301));
    assert_eq!(roster.take_actions(), []);
    roster.ready(4, at(5400));
    assert_eq!(roster.take_actions(), [done(1)]);
}

#[test]
fn nobody_is_started_for_who_leaves_while_all_stop() {
    let mut roster = started(vec![plan(1)]);
    roster.stop(Pace::Gracefully, at(5000));
    roster.leaves(1, Pace::Gracefully, at(5001));
    assert_eq!(roster.take_actions(), [tell(1, Told::StopGracefully)]);
    assert_eq!(roster.next_deadline(), None);
    roster.exited(1, at(5002));
    assert_eq!(roster.take_actions(), [Action::Finished]);
}

#[test]
fn stopping_ends_in_killing() {
    let mut roster = started(vec![plan(2)]);
    roster.stop(Pace::Soon, at(100));
    assert_eq!(roster.take_actions(), [tell(1, Told::Stop), tell(2, Told::Stop)]);
    roster.exited(1, at(150));
    assert_eq!(roster.next_deadline(), Some(at(2100)));
    roster.tick(at(2100));
    assert_eq!(roster.take_actions(), [Action::Kill { token: 2 }]);
    roster.exited(2, at(2101));
    assert_eq!(roster.take_actions(), [Action::Finished]);
}

#[test]
fn a_graceful_stop_can_be_hurried_twice() {
    let mut roster = started(vec![plan(1)]);
    roster.stop(Pace::Gracefully, at(100));
    roster.stop(Pace::Gracefully, at(200));
    assert_eq!(roster.take_actions(), [tell(1, Told::StopGracefully)]);
    assert_eq!(roster.next_deadline(), None);
    roster.stop(Pace::Soon, at(300));
    assert_eq!(roster.take_actions(), [tell(1, Told::Stop)]);
    assert_eq!(roster.next_deadline(), Some(at(2300)));
    roster.stop(Pace::Soon, at(1400));
    roster.stop(Pace::Gracefully, at(1500));
    assert_eq!((roster.take_actions(), roster.next_deadline()), (vec![], Some(at(2300))));
    roster.stop(Pace::AtOnce, at(1600));
    assert_eq!(roster.take_actions(), [Action::Kill { token: 1 }]);
}

#[test]
fn only_a_second_interruption_kills() {
    let mut roster = started(vec![plan(1)]);
    roster.stop(Pace::Soon, at(100));
    for (now, pace) in [
        (5000, Pace::Soon),
        (5000, Pace::Soon),
        (5499, Pace::Soon),
        (5500, Pace::AtOnce),
        (5501, Pace::AtOnce),
    ] {
        assert_eq!(roster.interrupt(at(now)), pace, "{now}");
    }
}

#[test]
fn who_is_starting_has_nobody_to_wait_for() {
    let mut roster = Roster::new(vec![plan(2)]);
    roster.start(at(0));
    roster.ready(1, at(10));
    roster.take_actions();
    roster.stop(Pace::Gracefully, at(100));
    let told = [tell(1, Told::StopGracefully), tell(2, Told::Stop)];
    assert_eq!(roster.take_actions(), told);
    roster.tick(at(2100));
    assert_eq!(roster.take_actions(), [Action::Kill { token: 2 }]);

    let mut roster = started(vec![plan(1)]);
    roster.exited(1, at(5000));
    roster.reload(Pace::Gracefully, at(5001));
    assert_eq!(roster.take_actions(), [spawn(2, 0, 0), spawn(3, 0, 0)]);
    roster.ready(3, at(5100));
    assert_eq!(roster.take_actions(), [tell(2, Told::Stop)]);
    roster.tick(at(7100));
    assert_eq!(roster.take_actions(), [Action::Kill { token: 2 }]);
}

#[test]
fn stopping_takes_a_reload_and_its_replacement_along() {
    let mut roster = started(vec![plan(2)]);
    roster.reload(Pace::Soon, at(100));
    roster.reload(Pace::Soon, at(150));
    roster.take_actions();
    roster.stop(Pace::Soon, at(200));
    let stopped = |pass| Action::Reloaded { pass, outcome: Outcome::Stopped };
    let told = [1, 3, 2].map(|token| tell(token, Told::Stop));
    assert_eq!(roster.take_actions(), [&[stopped(1), stopped(2)][..], &told].concat());
    for token in 1..=3 {
        roster.exited(token, at(300));
    }
    assert_eq!(roster.take_actions(), [Action::Finished]);
    assert_eq!(roster.next_deadline(), None);
}

#[test]
fn a_roster_between_two_attempts_stops_at_once() {
    let mut roster = started(vec![plan(1)]);
    roster.exited(1, at(20));
    roster.stop(Pace::Gracefully, at(30));
    assert_eq!(roster.take_actions(), [Action::Finished]);
    assert_eq!(roster.next_deadline(), None);
}

//! What runs with every change: thousands of seeds.

use workyard_sim::{Plan, Run, run_all, whole};

/// Of each simulation, and of those that take longest.
const SEEDS: u64 = 2000;
const LONG_SEEDS: u64 = 1000;

/// Runs seeds, and shows how to see what went wrong if one fails.
fn pass(what: &str, simulate: fn(&Plan) -> Run, seeds: u64) {
    let (failure, events) = run_all(&simulate, 0, seeds);
    if let Some(failure) = failure {
        panic!("{}", failure.report(what));
    }
    assert!(events > 200 * seeds, "{events} events: {what} hardly does anything");
}

/// The same seed makes the same run, event by event, also beside others.
fn repeat(simulate: fn(&Plan) -> Run) {
    let (first, second) = std::thread::scope(|scope| {
        let run = || (0..60).map(|seed| simulate(&whole(seed))).collect::<Vec<Run>>();
        let other = scope.spawn(run);
        (run(), other.join())
    });
    for (seed, (first, second)) in first.iter().zip(second.expect("no panic")).enumerate() {
        assert_eq!(*first, second, "seed {seed}");
    }
}

#[test]
fn every_seed_of_channel_server_passes() {
    pass("channel", workyard_sim::channel, SEEDS);
}

#[test]
fn every_seed_of_channels_that_are_kept_passes() {
    pass("history", workyard_sim::history, LONG_SEEDS);
}

#[test]
fn jobs_that_were_held_back_until_all_seemed_done_are_worked_off() {
    assert_eq!(workyard_sim::channel(&whole(1_007_669)).failure, None);
}

#[test]
fn a_seed_of_channels_that_are_kept_is_the_same_every_time() {
    repeat(workyard_sim::history);
}

#[test]
fn every_seed_of_questions_and_presence_passes() {
    pass("talk", workyard_sim::talk, SEEDS);
}

#[test]
fn a_seed_of_questions_and_presence_is_the_same_every_time() {
    repeat(workyard_sim::talk);
}

#[test]
fn a_seed_of_channel_server_is_the_same_every_time() {
    repeat(workyard_sim::channel);
}

#[test]
fn every_seed_of_queues_and_workers_passes() {
    pass("work", workyard_sim::work, LONG_SEEDS);
}

#[test]
fn a_seed_of_queues_and_workers_is_the_same_every_time() {
    repeat(workyard_sim::work);
}

#[test]
fn every_seed_of_slow_subscribers_passes() {
    pass("slow", workyard_sim::slow, LONG_SEEDS);
}

#[test]
fn a_seed_of_slow_subscribers_is_the_same_every_time() {
    repeat(workyard_sim::slow);
}

#[test]
fn every_seed_of_globaldata_server_passes() {
    pass("store", workyard_sim::store, SEEDS);
}

#[test]
fn a_seed_of_globaldata_server_is_the_same_every_time() {
    repeat(workyard_sim::store);
}

#[test]
fn fewer_steps_are_the_beginning_of_the_same_run() {
    let lines =
        |steps_max| workyard_sim::channel(&Plan { steps_max, has_lines: true, ..whole(5) }).lines;
    let (all, some) = (lines(u32::MAX), lines(8));
    let same = all.iter().zip(&some).take_while(|(one, other)| one == other).count();
    assert!(same > 20, "they part after {same} lines");
    assert!(some.len() < all.len());
}

#[test]
fn different_seeds_are_different_runs() {
    let fingerprint = |seed| workyard_sim::channel(&whole(seed)).fingerprint;
    assert_ne!(fingerprint(1), fingerprint(2));
}

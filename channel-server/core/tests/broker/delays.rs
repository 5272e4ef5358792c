//! When a job is handed out: delays, priorities, and ids that store it once.

use crate::dialogue::Dialogue;
use workyard_channel_core::BrokerLimits;

#[test]
fn a_delayed_job_is_handed_out_when_its_time_has_come_and_not_before() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 9).done();
    talk.session(9).enqueues_later("q", "late", 100).sees(["9: enqueued 1"]);
    talk.session(9).enqueues("q", "now").sees(["9: enqueued 2", "1 <- job 2 of q: now"]);
    assert_eq!((talk.census().delayed, talk.census().leased), (1, 1));
    talk.wait(99);
    talk.expires().nothing();
    talk.wait(1);
    talk.expires().sees(["1 <- job 1 of q: late"]);
}

#[test]
fn a_delayed_job_takes_the_place_of_its_number() {
    let mut talk = Dialogue::new();
    talk.session(9).enqueues_later("q", "a", 50).sees(["9: enqueued 1"]);
    talk.session(9).enqueues("q", "b").sees(["9: enqueued 2"]);
    talk.wait(50);
    talk.expires().nothing();
    talk.wait(10);
    let stats = "9: q: ready 2 leased 0 consumers 0 oldest 60 ms; next 0";
    talk.session(9).lists("", 0, 9).sees([stats]);
    talk.session(1).consumes("q", 9).sees(["1: done", "1 <- job 1 of q: a", "1 <- job 2 of q: b"]);
}

#[test]
fn the_age_of_a_delayed_job_begins_when_it_is_ready() {
    let mut talk = Dialogue::new();
    talk.session(9).enqueues_later("q", "a", 50).sees(["9: enqueued 1"]);
    let delayed = "9: q: ready 0 leased 0 consumers 0 oldest 0 ms; delayed 1 dead 0; next 0";
    talk.session(9).lists("", 0, 9).sees([delayed]);
    talk.wait(57);
    talk.expires().nothing();
    let ready = "9: q: ready 1 leased 0 consumers 0 oldest 7 ms; next 0";
    talk.session(9).lists("", 0, 9).sees([ready]);
}

#[test]
fn a_consumer_may_say_how_long_nobody_shall_have_the_job() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1", "1 <- job 1 of q: a"]);
    talk.session(9).enqueues("q", "b").sees(["9: enqueued 2"]);
    talk.session(1).nacks_because(1, Some(500), "later").sees(["1: done", "1 <- job 2 of q: b"]);
    talk.session(1).acks(2).done();
    talk.wait(500);
    talk.expires().sees(["1 <- job 1 of q: a (attempt 2)"]);
}

#[test]
fn a_thousand_are_due_at_once_and_the_rest_a_moment_later() {
    let mut talk = Dialogue::new();
    for _ in 0..2500 {
        talk.session(9).enqueues_later("q", "x", 10).texts();
    }
    talk.wait(10);
    for ready in [1000, 2000, 2500] {
        assert_eq!(talk.deadline(), Some(10));
        talk.expires().nothing();
        assert_eq!((talk.census().ready, talk.census().delayed), (ready, 2500 - ready));
    }
    assert_eq!(talk.deadline(), None);
}

#[test]
fn jobs_of_a_higher_priority_go_before_and_those_of_one_in_their_order() {
    let mut talk = Dialogue::new();
    for (text, priority) in [("a", 0), ("b", 7), ("c", 255), ("d", 7), ("e", 0)] {
        talk.session(9).enqueues_as("q", text, priority).texts();
    }
    talk.session(1).consumes("q", 2).sees(["1: done", "1 <- job 3 of q: c", "1 <- job 2 of q: b"]);
    talk.session(1).nacks(2).sees(["1: done", "1 <- job 2 of q: b (attempt 2)"]);
    talk.session(1).acks(3).sees(["1: done", "1 <- job 4 of q: d"]);
    talk.session(1).closes().nothing();
    talk.session(2).consumes("q", 9).sees([
        "2: done",
        "2 <- job 2 of q: b (attempt 3)",
        "2 <- job 4 of q: d (attempt 2)",
        "2 <- job 1 of q: a",
        "2 <- job 5 of q: e",
    ]);
}

#[test]
fn the_oldest_is_told_even_if_others_are_preferred() {
    let mut talk = Dialogue::new();
    talk.session(9).enqueues("q", "old").sees(["9: enqueued 1"]);
    talk.wait(100);
    talk.session(9).enqueues_as("q", "new", 9).sees(["9: enqueued 2"]);
    let stats = "9: q: ready 2 leased 0 consumers 0 oldest 100 ms; next 0";
    talk.session(9).lists("", 0, 9).sees([stats]);
}

#[test]
fn a_job_of_an_id_is_stored_once_within_the_window_whatever_becomes_of_it() {
    let limits = BrokerLimits { queue_dedup_window_ms: 1000, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(9).enqueues_once("q", "x", "id").sees(["9: enqueued 1"]);
    talk.session(8).enqueues_once("q", "y", "id").sees(["8: 1 already"]);
    talk.session(8).enqueues_once("r", "y", "id").sees(["8: enqueued 2"]);
    talk.session(8).enqueues_once("q", "y", "").sees(["8: enqueued 3"]);
    talk.session(8).enqueues_once("q", "y", "").sees(["8: 3 already"]);
    talk.session(1).consumes("q", 1).sees(["1: done", "1 <- job 1 of q: x"]);
    talk.session(8).removes("q", 3).sees(["8: 1 jobs, next 0"]);
    talk.session(1).acks(1).done();
    talk.session(1).cancels("q").done();
    assert_eq!((talk.census().queues, talk.census().ids), (2, 3), "kept for its ids");
    talk.wait(999);
    talk.expires().nothing();
    talk.session(9).enqueues_once("q", "z", "id").sees(["9: 1 already"]);
    talk.wait(1);
    // Whether or not what is due has been done.
    talk.session(9).enqueues_once("q", "z", "id").sees(["9: enqueued 4"]);
    talk.expires().nothing();
    assert_eq!(talk.census().ids, 1);
    talk.session(9).enqueues_once("q", "z", "id").sees(["9: 4 already"]);
    talk.wait(1000);
    talk.expires().nothing();
    assert_eq!((talk.census().ids, talk.census().queues, talk.deadline()), (0, 2, None));
}

#[test]
fn a_full_queue_still_knows_its_ids() {
    let limits = BrokerLimits { queue_jobs_max: 1, dedup_ids_max: 1, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(9).enqueues_once("q", "x", "a").sees(["9: enqueued 1"]);
    talk.session(9).enqueues_once("q", "x", "a").sees(["9: 1 already"]);
    let refused = ["9: LimitReached: queue_jobs_max of 1 is reached"];
    talk.session(9).enqueues_once("q", "x", "b").sees(refused);
    let refused = ["9: LimitReached: dedup_ids_max of 1 is reached"];
    talk.session(9).enqueues_once("r", "x", "b").sees(refused);
    assert_eq!(talk.census().queues, 1);
    talk.session(9).enqueues("r", "x").sees(["9: enqueued 2"]);
}

#[test]
fn a_job_that_nobody_holds_can_be_removed() {
    let mut talk = Dialogue::new();
    talk.session(9).enqueues_later("q", "a", 100).sees(["9: enqueued 1"]);
    talk.session(9).enqueues("q", "b").sees(["9: enqueued 2"]);
    talk.session(9).enqueues_as("q", "c", 3).sees(["9: enqueued 3"]);
    talk.session(9).enqueues("q", "d").sees(["9: enqueued 4"]);
    talk.session(1).consumes("q", 1).sees(["1: done", "1 <- job 3 of q: c"]);
    let held = "8: JobLeased: job 3 of \"q\" is held: remove it when it has come back";
    talk.session(8).removes("q", 3).sees([held]);
    for job in [1, 2] {
        talk.session(8).removes("q", job).sees(["8: 1 jobs, next 0"]);
        talk.session(8).removes("q", job).sees(["8: 0 jobs, next 0"]);
    }
    talk.session(8).removes("q", 99).sees(["8: 0 jobs, next 0"]);
    talk.session(8).removes("nowhere", 4).sees(["8: 0 jobs, next 0"]);
    talk.wait(100);
    talk.expires().nothing();
    talk.session(1).acks(3).sees(["1: done", "1 <- job 4 of q: d"]);
    talk.session(1).acks(4).done();
    talk.session(1).cancels("q").done();
    assert_eq!((talk.census().queues, talk.census().job_bytes), (0, 0));
}

#[test]
fn a_queue_is_forgotten_with_the_last_job_that_is_removed() {
    let mut talk = Dialogue::new();
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1"]);
    talk.session(9).removes("q", 1).sees(["9: 1 jobs, next 0"]);
    assert_eq!((talk.census().queues, talk.census().job_bytes), (0, 0));
}

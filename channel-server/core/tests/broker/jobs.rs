//! Work queues: jobs, consumers, leases.

use crate::dialogue::Dialogue;
use workyard_channel_core::BrokerLimits;
use workyard_protocol::ValueRef;

#[test]
fn jobs_wait_in_order_and_are_numbered_over_all_queues() {
    let mut talk = Dialogue::new();
    talk.session(1).enqueues("q", "x").sees(["1: enqueued 1"]);
    talk.session(1).enqueues("r", "y").sees(["1: enqueued 2"]);
    talk.session(2).enqueues("q", "z").sees(["2: enqueued 3"]);
    talk.session(3).consumes("q", 9).sees(["3: done", "3 <- job 1 of q: x", "3 <- job 3 of q: z"]);
    talk.session(3).consumes("r", 1).sees(["3: done", "3 <- job 2 of r: y"]);
}

#[test]
fn numbers_are_jobs_too() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 2).done();
    let enqueued = ["1: enqueued 1", "1 <- job 1 of q: -7"];
    talk.session(1).enqueues_value("q", ValueRef::Int(-7)).sees(enqueued);
    let enqueued = ["1: enqueued 2", "1 <- job 2 of q: 0.5"];
    talk.session(1).enqueues_value("q", ValueRef::Float(0.5)).sees(enqueued);
}

#[test]
fn a_job_for_an_idle_consumer_follows_the_receipt() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 1).done();
    talk.session(1).enqueues("q", "x").sees(["1: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(1).enqueues("q", "y").sees(["1: enqueued 2"]);
    talk.session(1).acks(1).sees(["1: done", "1 <- job 2 of q: y"]);
    talk.session(1).acks(2).done();
}

#[test]
fn consumers_take_turns_as_far_as_their_prefetch_goes() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 2).done();
    talk.session(2).consumes("q", 3).done();
    for (job, receiver) in [(1, 1), (2, 2), (3, 1), (4, 2), (5, 2)] {
        let pushed = format!("{receiver} <- job {job} of q: x");
        let enqueued = format!("9: enqueued {job}");
        talk.session(9).enqueues("q", "x").sees([&enqueued, &pushed]);
    }
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 6"]);
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 7"]);
    talk.session(1).acks(3).sees(["1: done", "1 <- job 6 of q: x"]);
    talk.session(2).acks(2).sees(["2: done", "2 <- job 7 of q: x"]);
}

#[test]
fn who_has_waited_longest_for_credit_is_first() {
    let mut talk = Dialogue::new();
    for number in [1, 2, 3] {
        talk.session(number).consumes("q", 1).done();
    }
    for job in 1..=3 {
        assert_eq!(
            talk.session(9).enqueues("q", "x").texts()[1],
            format!("{job} <- job {job} of q: x")
        );
    }
    talk.session(3).acks(3).done();
    talk.session(1).acks(1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 4", "3 <- job 4 of q: x"]);
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 5", "1 <- job 5 of q: x"]);
}

#[test]
fn raising_the_prefetch_hands_out_and_lowering_it_takes_nothing_back() {
    let mut talk = Dialogue::new();
    for job in 1..=4 {
        talk.session(9).enqueues("q", "x").sees([&*format!("9: enqueued {job}")]);
    }
    talk.session(1).consumes("q", 1).sees(["1: done", "1 <- job 1 of q: x"]);
    talk.session(1).consumes("q", 3).sees(["1: done", "1 <- job 2 of q: x", "1 <- job 3 of q: x"]);
    talk.session(1).consumes("q", 2).done();
    assert_eq!((talk.census().leased, talk.census().consumers), (3, 1));
    talk.session(1).acks(1).done();
    talk.session(1).acks(2).sees(["1: done", "1 <- job 4 of q: x"]);
}

#[test]
fn only_who_holds_a_job_can_finish_it_and_only_once() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(9).enqueues("q", "y").sees(["9: enqueued 2"]);
    let unknown = ["2: UnknownJob: lease 1 is over, or was never this session's"];
    talk.session(2).acks(1).sees(unknown);
    talk.session(2).consumes("r", 1).done();
    talk.session(2).acks(1).sees(unknown);
    talk.session(1).acks(2).sees(["1: UnknownJob: lease 2 is over, or was never this session's"]);
    talk.session(1).acks(1).sees(["1: done", "1 <- job 2 of q: y"]);
    talk.session(1).acks(1).sees(["1: UnknownJob: lease 1 is over, or was never this session's"]);
}

#[test]
fn who_cancels_keeps_what_it_holds_until_it_is_finished() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(1).cancels("q").done();
    assert_eq!((talk.census().leased, talk.census().consumers), (1, 0));
    talk.session(9).enqueues("q", "y").sees(["9: enqueued 2"]);
    talk.session(1).acks(1).done();
    talk.session(1).consumes("q", 1).sees(["1: done", "1 <- job 2 of q: y"]);
}

#[test]
fn what_is_held_from_before_a_cancel_counts_when_consuming_again() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(1).cancels("q").done();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "y").sees(["9: enqueued 2"]);
    talk.session(1).acks(1).sees(["1: done", "1 <- job 2 of q: y"]);
}

#[test]
fn who_does_not_consume_cannot_cancel() {
    let mut talk = Dialogue::new();
    let refused = ["1: NotConsuming: this session does not consume from queue \"q\""];
    talk.session(1).cancels("q").sees(refused);
    talk.session(2).consumes("q", 1).done();
    talk.session(1).cancels("q").sees(refused);
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "2 <- job 1 of q: x"]);
    talk.session(2).cancels("q").done();
    let refused = ["2: NotConsuming: this session does not consume from queue \"q\""];
    talk.session(2).cancels("q").sees(refused);
}

#[test]
fn the_jobs_of_a_session_that_is_gone_come_back_before_all_others() {
    let mut talk = Dialogue::new();
    for job in 1..=5 {
        talk.session(9).enqueues("q", "x").sees([&*format!("9: enqueued {job}")]);
    }
    assert_eq!(talk.session(1).consumes("q", 2).texts().len(), 3);
    assert_eq!(talk.session(2).consumes("q", 2).texts().len(), 3);
    talk.session(1).closes().nothing();
    talk.session(2).closes().nothing();
    talk.session(3).consumes("q", 9).sees([
        "3: done",
        "3 <- job 1 of q: x (attempt 2)",
        "3 <- job 2 of q: x (attempt 2)",
        "3 <- job 3 of q: x (attempt 2)",
        "3 <- job 4 of q: x (attempt 2)",
        "3 <- job 5 of q: x",
    ]);
}

#[test]
fn the_jobs_of_a_session_that_is_gone_go_to_others_at_once() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 2).done();
    talk.session(1).consumes("r", 1).done();
    for (job, queue) in [(1, "q"), (2, "q"), (3, "r")] {
        let pushed = format!("1 <- job {job} of {queue}: x");
        talk.session(9).enqueues(queue, "x").sees([&*format!("9: enqueued {job}"), &pushed]);
    }
    talk.session(2).consumes("q", 1).done();
    talk.session(2).consumes("r", 1).done();
    talk.session(1)
        .closes()
        .sees(["2 <- job 1 of q: x (attempt 2)", "2 <- job 3 of r: x (attempt 2)"]);
    talk.session(2).closes().nothing();
    assert_eq!((talk.census().ready, talk.census().leased), (3, 0));
    talk.session(3).consumes("q", 2).sees([
        "3: done",
        "3 <- job 1 of q: x (attempt 3)",
        "3 <- job 2 of q: x (attempt 2)",
    ]);
}

#[test]
fn a_consumer_without_room_is_skipped_until_it_is_drained() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 5).done();
    talk.session(2).consumes("q", 1).done();
    talk.session(1).fills_up();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "2 <- job 1 of q: x"]);
    talk.session(9).enqueues("q", "y").sees(["9: enqueued 2"]);
    talk.session(9).enqueues("q", "z").sees(["9: enqueued 3"]);
    talk.session(1).drains().sees(["1 <- job 2 of q: y", "1 <- job 3 of q: z"]);
    talk.session(1).drains().nothing();
}

#[test]
fn a_consumer_without_room_may_cancel_or_go() {
    let mut talk = Dialogue::new();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1"]);
    talk.session(1).fills_up();
    talk.session(1).consumes("q", 5).done();
    talk.session(1).cancels("q").done();
    talk.session(1).drains().nothing();
    talk.session(1).fills_up();
    talk.session(1).consumes("q", 5).done();
    talk.session(1).closes().nothing();
    talk.session(1).drains().nothing();
    talk.session(2).consumes("q", 5).sees(["2: done", "2 <- job 1 of q: x"]);
}

#[test]
fn a_queue_is_forgotten_with_its_last_job_and_consumer() {
    let mut talk = Dialogue::new();
    let nothing = talk.census();
    talk.session(1).consumes("q", 1).done();
    talk.session(1).cancels("q").done();
    assert_eq!(talk.census(), nothing);
    talk.session(1).consumes("q", 1).done();
    talk.session(1).enqueues("q", "x").sees(["1: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(1).cancels("q").done();
    assert_eq!(talk.census().queues, 1);
    talk.session(1).acks(1).done();
    assert_eq!(talk.census(), nothing);
    talk.session(1).consumes("q", 1).done();
    talk.session(1).closes().nothing();
    assert_eq!(talk.census(), nothing);
}

#[test]
fn queues_and_channels_of_one_name_have_nothing_to_do_with_each_other() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "q");
    talk.session(2).consumes("q", 1).done();
    talk.session(3).publishes("q", "hi").sees(["1 <- q: hi", "3: published to 1"]);
    talk.session(3).enqueues("q", "do").sees(["3: enqueued 1", "2 <- job 1 of q: do"]);
}

#[test]
fn a_job_that_its_consumers_do_not_survive_is_set_aside() {
    let limits = BrokerLimits { job_attempts_max: 2, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(9).enqueues("q", "bad").sees(["9: enqueued 1"]);
    talk.session(9).enqueues("q", "good").sees(["9: enqueued 2"]);
    talk.session(8).consumes("q.dead", 1).done();
    talk.session(1).consumes("q", 1).sees(["1: done", "1 <- job 1 of q: bad"]);
    talk.session(1).closes().nothing();
    talk.session(2).consumes("q", 1).sees(["2: done", "2 <- job 1 of q: bad (attempt 2)"]);
    talk.session(2).closes().sees(["8 <- job 1 of q.dead: bad (attempt 3)"]);
    talk.session(3).consumes("q", 1).sees(["3: done", "3 <- job 2 of q: good"]);
    // What is there stays there, however often it is handed out.
    talk.session(8).closes().nothing();
    talk.session(7)
        .consumes("q.dead", 1)
        .sees(["7: done", "7 <- job 1 of q.dead: bad (attempt 4)"]);
    talk.session(7).acks(1).done();
    assert_eq!((talk.census().leased, talk.census().ready), (1, 0));
}

#[test]
fn without_room_beside_it_a_job_goes_back_to_its_place() {
    let limits = BrokerLimits { job_attempts_max: 1, queues_max: 1, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1"]);
    for attempt in 1..5 {
        let seen = talk.session(attempt).consumes("q", 1).texts();
        assert!(seen[1].contains("job 1 of q"), "{seen:?}");
        talk.session(attempt).closes().nothing();
    }
}

#[test]
fn a_job_that_is_given_back_is_the_next_of_its_queue() {
    let mut talk = Dialogue::new();
    for text in ["a", "b", "c"] {
        talk.session(9).enqueues("q", text).texts();
    }
    talk.session(1).consumes("q", 2).sees(["1: done", "1 <- job 1 of q: a", "1 <- job 2 of q: b"]);
    talk.session(1).nacks(2).sees(["1: done", "1 <- job 2 of q: b (attempt 2)"]);
    talk.session(1).cancels("q").done();
    talk.session(1).nacks(1).done();
    talk.session(2).consumes("q", 1).sees(["2: done", "2 <- job 1 of q: a (attempt 2)"]);
    talk.session(2).acks(1).sees(["2: done", "2 <- job 3 of q: c"]);
    for (session, job) in [(1, 1), (2, 2), (3, 3), (1, 99)] {
        let seen = talk.session(session).nacks(job).texts();
        assert!(seen[0].contains("UnknownJob") && seen.len() == 1, "{seen:?}");
    }
    talk.session(1).nacks(2).done();
    assert_eq!((talk.census().ready, talk.census().leased, talk.census().holders), (1, 1, 1));
}

#[test]
fn a_job_that_is_given_back_too_often_is_set_aside() {
    let limits = BrokerLimits { job_attempts_max: 2, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(9).enqueues("q", "bad").texts();
    talk.session(1).consumes("q", 1).sees(["1: done", "1 <- job 1 of q: bad"]);
    talk.session(1).nacks(1).sees(["1: done", "1 <- job 1 of q: bad (attempt 2)"]);
    talk.session(1).nacks(1).done();
    talk.session(1)
        .consumes("q.dead", 1)
        .sees(["1: done", "1 <- job 1 of q.dead: bad (attempt 3)"]);
    talk.session(1).acks(1).done();
    assert_eq!((talk.census().ready, talk.census().leased, talk.census().job_bytes), (0, 0, 0));
}

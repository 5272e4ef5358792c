//! Leases: how long a job is whose, and who may say that it is done.

use crate::dialogue::{Dialogue, delay};
use workyard_channel_core::BrokerLimits;
use workyard_protocol::channel::{Backoff, QueueSettings};

const LEASE_MS: u64 = 1000;

fn talk() -> Dialogue {
    let limits = BrokerLimits { queue_lease_ms: LEASE_MS as u32, ..BrokerLimits::default() };
    Dialogue::with(limits)
}

#[test]
fn a_lease_that_is_not_renewed_is_another_ones() {
    let mut talk = talk();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(2).consumes("q", 1).done();
    assert_eq!(talk.deadline(), Some(LEASE_MS));
    talk.wait(LEASE_MS - 1);
    talk.expires().nothing();
    talk.wait(1);
    talk.expires().sees(["2 <- job 1 of q: x (attempt 2)"]);
    talk.session(1).acks(1).sees(["1: UnknownJob: lease 1 is over, or was never this session's"]);
    talk.session(1).renews([1]).sees(["1: renewed but for [1]"]);
    talk.session(2).acks(1).done();
    assert_eq!((talk.census().leased, talk.census().ready, talk.deadline()), (0, 0, None));
}

#[test]
fn the_number_of_a_lease_tells_two_hand_outs_of_a_job_to_one_session_apart() {
    let mut talk = talk();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.wait(LEASE_MS);
    talk.expires().nothing();
    // Lease 1 is over; the refusal shows that the session is alive, and lease 2 follows.
    talk.session(1).renews([1]).sees(["1: renewed but for [1]", "1 <- job 1 of q: x (attempt 2)"]);
    talk.session(1)
        .acks_lease(1)
        .sees(["1: UnknownJob: lease 1 is over, or was never this session's"]);
    talk.session(1).acks_lease(2).done();
}

#[test]
fn a_renewed_lease_lasts_from_then_on_for_as_long_as_at_first() {
    let mut talk = talk();
    talk.session(1).consumes("q", 2).done();
    for job in 1..=2 {
        let seen = [format!("9: enqueued {job}"), format!("1 <- job {job} of q: x")];
        assert_eq!(talk.session(9).enqueues("q", "x").texts(), seen);
    }
    for _ in 0..10 {
        talk.wait(LEASE_MS - 1);
        talk.session(1).renews([1, 7, 2]).sees(["1: renewed but for [7]"]);
        talk.expires().nothing();
    }
    talk.wait(LEASE_MS - 1);
    talk.session(1).renews([2]).sees(["1: renewed but for []"]);
    talk.wait(1);
    talk.expires().nothing();
    assert_eq!((talk.census().ready, talk.census().leased), (1, 1));
}

#[test]
fn until_the_server_takes_it_back_a_late_word_counts() {
    let mut talk = talk();
    talk.session(1).consumes("q", 2).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(9).enqueues("q", "y").sees(["9: enqueued 2", "1 <- job 2 of q: y"]);
    talk.wait(5 * LEASE_MS);
    talk.session(1).acks(1).done();
    talk.session(1).renews([2]).sees(["1: renewed but for []"]);
    talk.expires().nothing();
    assert_eq!(talk.deadline(), Some(6 * LEASE_MS));
}

#[test]
fn nobody_renews_for_others() {
    let mut talk = talk();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(2).renews([1]).sees(["2: renewed but for [1]"]);
    talk.session(2).consumes("q", 1).done();
    talk.session(2).renews([1]).sees(["2: renewed but for [1]"]);
}

#[test]
fn who_let_a_lease_run_out_gets_no_more_jobs_of_that_queue_before_it_is_heard_of() {
    let mut talk = talk();
    talk.session(1).consumes("q", 2).done();
    talk.session(1).consumes("r", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.wait(LEASE_MS);
    talk.expires().nothing();
    talk.session(9).enqueues("q", "y").sees(["9: enqueued 2"]);
    talk.session(1).fills_up();
    talk.session(1).drains().nothing();
    talk.session(9).enqueues("r", "z").sees(["9: enqueued 3", "1 <- job 3 of r: z"]);
    talk.session(1).acks(3).sees([
        "1: done",
        "1 <- job 1 of q: x (attempt 2)",
        "1 <- job 2 of q: y",
    ]);
}

#[test]
fn a_stopped_consumer_does_not_use_up_the_attempts_of_its_jobs() {
    let mut talk = talk();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    for _ in 0..20 {
        talk.wait(LEASE_MS);
        talk.expires().nothing();
    }
    talk.session(2).consumes("q", 1).sees(["2: done", "2 <- job 1 of q: x (attempt 2)"]);
}

#[test]
fn jobs_whose_leases_run_out_come_back_before_younger_ones() {
    let mut talk = talk();
    for job in 1..=4 {
        talk.session(9).enqueues("q", "x").sees([&*format!("9: enqueued {job}")]);
    }
    assert_eq!(talk.session(1).consumes("q", 3).texts().len(), 4);
    talk.session(1).acks(2).sees(["1: done", "1 <- job 4 of q: x"]);
    talk.wait(LEASE_MS);
    talk.expires().nothing();
    talk.session(2).consumes("q", 9).sees([
        "2: done",
        "2 <- job 1 of q: x (attempt 2)",
        "2 <- job 3 of q: x (attempt 2)",
        "2 <- job 4 of q: x (attempt 2)",
    ]);
}

#[test]
fn a_session_that_is_gone_takes_its_deadlines_along() {
    let mut talk = talk();
    talk.session(1).consumes("q", 2).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(1).closes().nothing();
    assert_eq!(talk.deadline(), None);
    talk.session(2).consumes("q", 2).sees(["2: done", "2 <- job 1 of q: x (attempt 2)"]);
    talk.wait(LEASE_MS);
    talk.session(2).renews([1]).sees(["2: renewed but for []"]);
    talk.expires().nothing();
}

#[test]
fn who_asks_for_each_job_has_it_until_the_end() {
    let mut talk = talk();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1"]);
    talk.session(1).watches("q").nothing();
    talk.session(1).reserves().sees(["1 <- job 1 of q: x"]);
    assert_eq!(talk.deadline(), None);
    talk.wait(1000 * LEASE_MS);
    talk.expires().nothing();
    talk.session(1).acks_oldest().nothing();
    assert_eq!(talk.census().leased, 0);
}

#[test]
fn after_a_lease_that_ran_out_the_backoff_decides() {
    let mut talk = talk();
    let backoff = Some(Backoff::Exponential { first: delay(100), max: delay(150) });
    talk.session(9).configures("q", QueueSettings { backoff, ..QueueSettings::default() }).done();
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.wait(LEASE_MS);
    talk.expires().nothing();
    talk.session(2).consumes("q", 1).done();
    assert_eq!((talk.census().delayed, talk.deadline()), (1, Some(LEASE_MS + 100)));
    talk.wait(100);
    talk.expires().sees(["2 <- job 1 of q: x (attempt 2)"]);
    talk.session(2).nacks(1).done();
    talk.wait(149);
    talk.expires().nothing();
    talk.wait(1);
    talk.expires().sees(["2 <- job 1 of q: x (attempt 3)"]);
    // With its session it comes back at once: that says nothing about the job.
    talk.session(2).closes().nothing();
    talk.session(3).consumes("q", 1).sees(["3: done", "3 <- job 1 of q: x (attempt 4)"]);
}

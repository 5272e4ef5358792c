//! Consumers that ask for each job: what `watch` and `reserve` hand out, and what is acknowledged.

use crate::dialogue::Dialogue;
use workyard_channel_core::BrokerLimits;

#[test]
fn who_watches_gets_nothing_before_it_reserves() {
    let mut talk = Dialogue::new();
    talk.session(1).watches("q").nothing();
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1"]);
    talk.session(1).reserves().sees(["1 <- job 1 of q: a"]);
    talk.session(9).enqueues("q", "b").sees(["9: enqueued 2"]);
}

#[test]
fn a_reserve_is_one_credit_for_each_queue_that_is_watched_then() {
    let mut talk = Dialogue::new();
    for queue in ["b", "a", "c"] {
        talk.session(1).watches(queue).nothing();
    }
    talk.session(1).reserves().nothing();
    talk.session(1).reserves().nothing();
    talk.session(1).watches("late").nothing();
    for queue in ["late", "c", "a"] {
        talk.session(9).enqueues(queue, "x").texts();
    }
    let mut talk = with_jobs(talk);
    talk.session(1).reserves().sees([
        "1 <- job 5 of a: y",
        "1 <- job 6 of c: y",
        "1 <- job 1 of late: x",
    ]);
}

/// One more job in `b`, `a` and `c`, of which only the first is due to a credit.
fn with_jobs(mut talk: Dialogue) -> Dialogue {
    talk.session(9).enqueues("b", "y").sees(["9: enqueued 4", "1 <- job 4 of b: y"]);
    talk.session(9).enqueues("a", "y").sees(["9: enqueued 5"]);
    talk.session(9).enqueues("c", "y").sees(["9: enqueued 6"]);
    talk
}

#[test]
fn jobs_of_several_queues_come_in_the_order_of_watching() {
    let mut talk = Dialogue::new();
    for queue in ["a", "b"] {
        talk.session(9).enqueues(queue, "x").texts();
    }
    talk.session(1).watches("b").nothing();
    talk.session(1).watches("a").nothing();
    talk.session(1).reserves().sees(["1 <- job 2 of b: x", "1 <- job 1 of a: x"]);
}

#[test]
fn consumers_are_served_in_the_order_in_which_they_reserved() {
    let mut talk = Dialogue::new();
    for session in [1, 2, 3] {
        talk.session(session).watches("q").nothing();
    }
    for session in [3, 1, 2] {
        talk.session(session).reserves().nothing();
    }
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1", "3 <- job 1 of q: a"]);
    talk.session(9).enqueues("q", "b").sees(["9: enqueued 2", "1 <- job 2 of q: b"]);
    talk.session(3).reserves().nothing();
    talk.session(9).enqueues("q", "c").sees(["9: enqueued 3", "2 <- job 3 of q: c"]);
    talk.session(9).enqueues("q", "d").sees(["9: enqueued 4", "3 <- job 4 of q: d"]);
}

#[test]
fn what_a_consumer_holds_goes_back_to_the_head_when_it_is_gone() {
    let mut talk = Dialogue::new();
    for text in ["a", "b", "c"] {
        talk.session(9).enqueues("q", text).texts();
    }
    talk.session(1).watches("q").nothing();
    talk.session(1).reserves().sees(["1 <- job 1 of q: a"]);
    talk.session(1).acks_oldest().nothing();
    talk.session(1).reserves().sees(["1 <- job 2 of q: b"]);
    talk.session(2).watches("q").nothing();
    talk.session(2).reserves().sees(["2 <- job 3 of q: c"]);
    talk.session(1).closes().nothing();
    talk.session(2).reserves().sees(["2 <- job 2 of q: b (attempt 2)"]);
}

#[test]
fn the_oldest_is_the_one_that_was_handed_out_first() {
    let mut talk = Dialogue::new();
    talk.session(9).enqueues("a", "x").texts();
    talk.session(9).enqueues("b", "x").texts();
    talk.session(1).watches("b").nothing();
    talk.session(1).reserves().sees(["1 <- job 2 of b: x"]);
    talk.session(1).watches("a").nothing();
    talk.session(1).reserves().sees(["1 <- job 1 of a: x"]);
    talk.session(1).acks_oldest().nothing();
    talk.session(2).watches("a").nothing();
    talk.session(2).watches("b").nothing();
    talk.session(2).reserves().nothing();
    talk.session(1).closes().sees(["2 <- job 1 of a: x (attempt 2)"]);
    talk.session(1).acks_oldest().nothing();
}

#[test]
fn at_most_once_a_job_is_done_with_when_it_is_sent() {
    let limits = BrokerLimits { reserve_at_most_once: true, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(9).enqueues("q", "a").texts();
    talk.session(1).watches("q").nothing();
    talk.session(1).reserves().sees(["1 <- job 1 of q: a"]);
    assert_eq!((talk.census().leased, talk.census().job_bytes), (0, 0));
    talk.session(1).closes().nothing();
    assert_eq!(talk.census().queues, 0);
}

#[test]
fn to_cancel_takes_the_credit_along_and_leaves_the_job_that_is_held() {
    let mut talk = Dialogue::new();
    talk.session(1).watches("q").nothing();
    talk.session(1).reserves().nothing();
    talk.session(1).cancels("q").done();
    assert_eq!(talk.census().queues, 0);
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1"]);
    talk.session(1).watches("q").nothing();
    talk.session(1).reserves().sees(["1 <- job 1 of q: a"]);
    talk.session(1).cancels("q").done();
    assert_eq!(talk.census().leased, 1);
    talk.session(1).acks_oldest().nothing();
    assert_eq!((talk.census().leased, talk.census().queues), (0, 0));
}

#[test]
fn who_watches_where_it_consumes_goes_on_consuming() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 2).done();
    talk.session(1).watches("q").nothing();
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1", "1 <- job 1 of q: a"]);
    talk.session(9).enqueues("q", "b").sees(["9: enqueued 2", "1 <- job 2 of q: b"]);
}

#[test]
fn a_credit_waits_for_room() {
    let mut talk = Dialogue::new();
    talk.session(1).watches("q").nothing();
    talk.session(1).fills_up();
    talk.session(1).reserves().nothing();
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1"]);
    talk.session(1).drains().sees(["1 <- job 1 of q: a"]);
    talk.session(9).enqueues("q", "b").sees(["9: enqueued 2"]);
    talk.session(1).drains().nothing();
}

#[test]
fn a_job_that_was_given_back_and_comes_by_another_way_is_not_the_oldest_asked_for() {
    let mut talk = Dialogue::new();
    talk.session(1).watches("q").nothing();
    talk.session(1).reserves().nothing();
    talk.session(9).enqueues("q", "a").sees(["9: enqueued 1", "1 <- job 1 of q: a"]);
    talk.session(1).nacks(1).done();
    talk.session(1).consumes("q", 1).sees(["1: done", "1 <- job 1 of q: a (attempt 2)"]);
    talk.session(1).acks_oldest().nothing();
    assert_eq!(talk.census().leased, 1);
}

/// Each reserve looks at what it is about, not at everything that is held and watched.
#[test]
fn many_queues_and_held_jobs_do_not_make_a_reserve_slow() {
    const QUEUES: u32 = 20_000;
    let limits = BrokerLimits { consumers_per_session_max: 50_000, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    for number in 0..QUEUES {
        let queue = number.to_string();
        talk.session(1).watches(&queue).nothing();
        talk.session(9).enqueues(&queue, "x").texts();
    }
    assert_eq!(talk.session(1).reserves().texts().len(), QUEUES as usize);
    let began = std::time::Instant::now();
    for _ in 0..QUEUES {
        talk.session(1).acks_oldest().nothing();
        talk.session(1).reserves().nothing();
    }
    // A look at all of them each time would take minutes.
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(talk.census().leased, 0);
}

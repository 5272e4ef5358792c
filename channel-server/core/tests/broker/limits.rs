//! What happens at each limit: a refusal that names it, and nothing else.

use crate::dialogue::Dialogue;
use workyard_channel_core::BrokerLimits;

fn limited(change: impl FnOnce(&mut BrokerLimits)) -> Dialogue {
    let mut limits = BrokerLimits::default();
    change(&mut limits);
    Dialogue::with(limits)
}

#[test]
fn subscriptions_of_one_session() {
    let mut talk = limited(|limits| limits.subscriptions_per_session_max = 2);
    talk.subscribe_all([1, 1, 2], "a, b");
    let refused = ["1: LimitReached: subscriptions_per_session_max of 2 is reached"];
    talk.session(1).subscribes("c").sees(refused);
    talk.session(1).unsubscribes("a").done();
    talk.session(1).subscribes("c").done();
}

#[test]
fn subscriptions_of_all_sessions() {
    let mut talk = limited(|limits| limits.subscriptions_max = 3);
    talk.subscribe_all([1], "a, b");
    talk.subscribe_all([2], "a");
    let refused = ["3: LimitReached: subscriptions_max of 3 is reached"];
    talk.session(3).subscribes("a").sees(refused);
    talk.session(1).closes().nothing();
    talk.session(3).subscribes("a").done();
}

#[test]
fn different_patterns() {
    let mut talk = limited(|limits| limits.patterns_max = 1);
    talk.subscribe_all([1], "~a.*");
    let refused = ["2: LimitReached: patterns_max of 1 is reached"];
    talk.session(2).subscribes("~b.*").sees(refused);
    talk.subscribe_all([2], "~a.*, b.*, ~a.*@g");
}

#[test]
fn bytes_of_names() {
    let mut talk = limited(|limits| limits.name_bytes_max = 10);
    talk.subscribe_all([1], "abc, ~a.*, abc@wxyz");
    assert_eq!(talk.census().name_bytes, 10);
    let refused = ["2: LimitReached: name_bytes_max of 10 is reached"];
    talk.session(2).subscribes("d").sees(refused);
    talk.session(2).subscribes("abc@v").sees(refused);
    talk.subscribe_all([2], "~a.*, abc@wxyz, ~a.*@wxyz");
}

#[test]
fn a_subscription_that_is_refused_in_part_is_refused_whole() {
    let mut talk = limited(|limits| limits.subscriptions_per_session_max = 4);
    talk.subscribe_all([1], "a");
    let before = talk.census();
    let refused = ["1: LimitReached: subscriptions_per_session_max of 4 is reached"];
    talk.session(1).subscribes("a, b, ~c.*, d@g, e").sees(refused);
    assert_eq!(talk.census(), before);
    talk.session(9).publishes("b", "hi").sees(["9: published to 0"]);
    let refused = ["2: LimitReached: subscriptions_per_session_max of 4 is reached"];
    talk.session(2).subscribes("a, b, c, d, e").sees(refused);
    assert_eq!(talk.census(), before);
    talk.session(9).publishes("a", "hi").sees(["1 <- a: hi", "9: published to 1"]);
}

#[test]
fn channels_that_are_served() {
    let mut talk = limited(|limits| limits.services_per_session_max = 1);
    talk.session(1).serves("a").done();
    talk.session(1).serves("a").done();
    let refused = ["1: LimitReached: services_per_session_max of 1 is reached"];
    talk.session(1).serves("b").sees(refused);
    talk.session(1).serves_no_more("a").done();
    talk.session(1).serves("b").done();

    let mut talk = limited(|limits| limits.services_max = 2);
    talk.session(1).serves("a").done();
    talk.session(2).serves("a").done();
    talk.session(2).serves("b").sees(["2: LimitReached: services_max of 2 is reached"]);

    let mut talk = limited(|limits| limits.name_bytes_max = 3);
    talk.session(1).serves("abc").done();
    talk.session(2).serves("abc").done();
    talk.session(2).serves("d").sees(["2: LimitReached: name_bytes_max of 3 is reached"]);
}

#[test]
fn questions_without_an_answer() {
    let mut talk = limited(|limits| limits.questions_per_session_max = 1);
    talk.session(1).serves("a").done();
    let asked = ["8: asked 1", "1 <- question 1 on a: x (1000 ms)"];
    talk.session(8).inquires("a", "x").sees(asked);
    let refused = ["8: LimitReached: questions_per_session_max of 1 is reached"];
    talk.session(8).inquires("a", "x").sees(refused);
    talk.session(1).answers(1, "y").sees(["1: done", "8 <- answer 1: y"]);
    let asked = ["8: asked 2", "1 <- question 2 on a: x (1000 ms)"];
    talk.session(8).inquires("a", "x").sees(asked);

    let mut talk = limited(|limits| limits.questions_max = 1);
    talk.session(1).serves("a").done();
    talk.session(8).inquires("a", "x").sees(["8: asked 1", "1 <- question 1 on a: x (1000 ms)"]);
    talk.session(9).inquires("a", "x").sees(["9: LimitReached: questions_max of 1 is reached"]);
}

#[test]
fn questions_that_are_kept_for_another_responder() {
    let mut talk = limited(|limits| limits.question_bytes_max = 6);
    talk.session(1).serves("a").done();
    let asked = ["8: asked 1", "1 <- question 1 on a: 12345 (1000 ms)"];
    talk.session(8).inquires_again("a", "12345").sees(asked);
    assert_eq!(talk.census().question_bytes, 6);
    let refused = ["9: LimitReached: question_bytes_max of 6 is reached"];
    talk.session(9).inquires_again("a", "").sees(refused);
    let asked = ["9: asked 2", "1 <- question 2 on a: long enough (1000 ms)"];
    talk.session(9).inquires("a", "long enough").sees(asked);
    talk.session(1).answers(1, "y").sees(["1: done", "8 <- answer 1: y"]);
    let asked = ["9: asked 3", "1 <- question 3 on a: 12345 (1000 ms)"];
    talk.session(9).inquires_again("a", "12345").sees(asked);
}

#[test]
fn channels_that_are_entered_and_followed() {
    let mut talk = limited(|limits| limits.presences_per_session_max = 2);
    talk.session(1).enters("a", "").done();
    talk.session(1).follows("b").done();
    let refused = ["1: LimitReached: presences_per_session_max of 2 is reached"];
    talk.session(1).enters("b", "").sees(refused);
    talk.session(1).follows("a").sees(refused);
    talk.session(1).enters("a", "again").done();
    talk.session(1).follows("b").done();
    talk.session(1).leaves("a").done();
    talk.session(1).enters("b", "").sees(["1: done", "1 <- b: joined 1 "]);

    let mut talk = limited(|limits| limits.presence_members_max = 1);
    talk.session(1).enters("a", "").done();
    talk.session(2).enters("b", "").sees(["2: LimitReached: presence_members_max of 1 is reached"]);
    talk.session(1).enters("a", "again").done();

    let mut talk = limited(|limits| limits.presence_followers_max = 1);
    talk.session(1).follows("a").done();
    let refused = ["2: LimitReached: presence_followers_max of 1 is reached"];
    talk.session(2).follows("a").sees(refused);
    assert_eq!(talk.census().rooms, 1);
}

#[test]
fn bytes_of_identities() {
    let mut talk = limited(|limits| limits.presence_bytes_max = 10);
    talk.session(1).enters("room", "tom").done();
    let refused = ["2: LimitReached: presence_bytes_max of 10 is reached"];
    talk.session(2).enters("room", "anna").sees(refused);
    talk.session(2).follows("other").sees(refused);
    let refused = ["1: LimitReached: presence_bytes_max of 10 is reached"];
    talk.session(1).enters("room", "thomasina").sees(refused);
    talk.session(1).enters("room", "thomas").done();
    talk.session(1).enters("room", "").done();
    talk.session(2).enters("room", "anna").done();
    assert_eq!(talk.census().presence_bytes, 8);
}

#[test]
fn queues() {
    let mut talk = limited(|limits| limits.queues_max = 1);
    talk.session(1).enqueues("q", "x").sees(["1: enqueued 1"]);
    let refused = ["1: LimitReached: queues_max of 1 is reached"];
    talk.session(1).enqueues("r", "x").sees(refused);
    talk.session(1).consumes("r", 1).sees(refused);
    talk.session(1).enqueues("q", "y").sees(["1: enqueued 2"]);
    assert_eq!((talk.census().queues, talk.census().holders), (1, 0));
}

#[test]
fn jobs_of_one_queue() {
    let mut talk = limited(|limits| limits.queue_jobs_max = 2);
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1", "1 <- job 1 of q: x"]);
    talk.session(9).enqueues("q", "y").sees(["9: enqueued 2"]);
    let refused = ["9: LimitReached: queue_jobs_max of 2 is reached"];
    talk.session(9).enqueues("q", "z").sees(refused);
    talk.session(9).enqueues("r", "z").sees(["9: enqueued 3"]);
    talk.session(1).acks(1).sees(["1: done", "1 <- job 2 of q: y"]);
    talk.session(9).enqueues("q", "z").sees(["9: enqueued 4"]);
}

#[test]
fn bytes_of_all_jobs() {
    let room = BrokerLimits::JOB_OVERHEAD_BYTES + 4;
    let mut talk = limited(|limits| limits.queue_bytes_max = 2 * room);
    talk.session(1).consumes("q", 1).done();
    talk.session(9).enqueues("q", "1234").sees(["9: enqueued 1", "1 <- job 1 of q: 1234"]);
    let refused = format!("9: LimitReached: queue_bytes_max of {} is reached", 2 * room);
    talk.session(9).enqueues("r", "12345").sees([&refused]);
    assert_eq!((talk.census().queues, talk.census().job_bytes), (1, room));
    talk.session(9).enqueues("r", "1234").sees(["9: enqueued 2"]);
    talk.session(9).enqueues("q", "").sees([&refused]);
    talk.session(1).acks(1).done();
    assert_eq!(talk.census().job_bytes, room);
}

#[test]
fn queues_of_one_session() {
    let mut talk = limited(|limits| limits.consumers_per_session_max = 1);
    talk.session(1).consumes("q", 1).done();
    let refused = ["1: LimitReached: consumers_per_session_max of 1 is reached"];
    talk.session(1).consumes("r", 1).sees(refused);
    assert_eq!(talk.census().queues, 1);
    talk.session(1).consumes("q", 2).done();
    talk.session(1).cancels("q").done();
    talk.session(1).consumes("r", 1).done();
}

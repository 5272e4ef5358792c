//! Sessions that come and go, alone and in crowds.

use crate::dialogue::Dialogue;
use workyard_channel_core::Census;
use workyard_protocol::channel::WhenSlow;

#[test]
fn a_session_that_is_gone_leaves_nothing_behind() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2, 3], "a, ~a.*, a@g, ~a.>@g, ~>, b");
    for number in [1, 2] {
        talk.session(number).consumes("q", 2).done();
    }
    for number in [2, 3] {
        talk.session(number).serves("s").done();
        talk.session(number).serves("t").done();
    }
    for number in [1, 2] {
        talk.session(number).enters("r", "me").done();
        talk.session(number).follows("other").done();
    }
    talk.session(3)
        .inquires_again("s", "x")
        .sees(["3: asked 1", "2 <- question 1 on s: x (1000 ms)"]);
    talk.session(2).inquires("t", "x").sees(["2: asked 2", "2 <- question 2 on t: x (1000 ms)"]);
    assert_ne!(talk.census(), Census::default());
    let passed_on = "3 <- question 1 on s: x (1000 ms, attempt 2)";
    talk.session(2).closes().sees([passed_on]);
    for number in [1, 3] {
        talk.session(number).closes().nothing();
    }
    assert_eq!(talk.census(), Census::default());
    talk.session(4).publishes("a", "hi").sees(["4: published to 0"]);
}

#[test]
fn a_session_that_never_asked_for_anything_may_go_too() {
    let mut talk = Dialogue::new();
    talk.session(5).closes().nothing();
    talk.session(5).drains().nothing();
}

#[test]
fn the_census_counts_everything() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "ab, ~c.*, ab@grp");
    talk.session(1).consumes("q", 1).done();
    talk.session(3).consumes("q", 1).done();
    for _ in 0..3 {
        assert!(!talk.session(9).enqueues("q", "xyz").texts().is_empty());
    }
    talk.session(1).serves("ab").done();
    talk.session(1).serves("c").done();
    talk.session(2).serves("c").done();
    assert_eq!(talk.session(9).inquires("ab", "12345").texts().len(), 2);
    assert_eq!(talk.session(9).inquires_again("ab", "12345").texts().len(), 2);
    talk.session(1).enters("room1", "tom").done();
    talk.session(4).enters("room1", "ann").done();
    talk.session(4).follows("r2").done();
    talk.session(1).keeps(">", 10, 1000, 1000).done();
    assert!(!talk.session(9).publishes("kept", "xyz").texts().is_empty());
    talk.session(4).fills_up();
    let _ = talk.session(4).subscribes_to_last("ab", 1, &[1]).texts();
    talk.session(4).subscribes_when_slow("ef", WhenSlow::DropOldest).done();
    assert!(!talk.session(9).publishes("ef", "xyz").texts().is_empty());
    let expected = Census {
        channels: 2,
        patterns: 1,
        groups: 1,
        subscriptions: 8,
        subscribers: 3,
        replays: 1,
        slow_sessions: 1,
        held_messages: 1,
        held_bytes: 3 + 2 * 2 + 256,
        history_rules: 1,
        history_messages: 2,
        name_bytes: 10,
        queues: 1,
        consumers: 2,
        ready: 1,
        leased: 2,
        delayed: 0,
        ids: 0,
        holders: 2,
        job_bytes: 3 * (3 + 192),
        services: 2,
        responders: 3,
        questions: 2,
        question_parties: 3,
        question_bytes: 2 + 5,
        rooms: 2,
        members: 2,
        followers: 1,
        visitors: 2,
        presence_bytes: 5 + 2 + 3 + 3,
    };
    assert_eq!(talk.census(), expected);
}

#[test]
fn the_same_requests_always_have_the_same_effects() {
    let effects = || {
        let mut talk = Dialogue::new();
        talk.subscribe_all([1], "a@1, a@2, a@3, a@4, a@5, a@6, a@7, a@8");
        talk.session(1).closes().nothing();
        talk.subscribe_all([2], "a@b, a@c, a@d, a@e, a@f, a@g, a@h, a@i");
        talk.session(9).publishes("a", "hi").texts()
    };
    let first = effects();
    (0..10).for_each(|_| assert_eq!(effects(), first));
}

#[test]
fn a_hundred_thousand_subscribers_come_and_go() {
    let mut talk = Dialogue::new();
    talk.subscribe_all(0..100_000, "a, a@g, ~*");
    let published = talk.session(0).publishes("a", "hi").texts();
    assert_eq!(published.last().unwrap(), "0: published to 100001");
    for number in 0..100_000 {
        talk.session(number).closes().nothing();
    }
    assert_eq!(talk.census(), Census::default());
}

#[test]
fn a_hundred_thousand_consumers_come_and_go() {
    let mut talk = Dialogue::new();
    for number in 0..100_000 {
        talk.session(number).consumes("q", 1).done();
    }
    for number in 0..100_000 {
        talk.session(number).closes().nothing();
    }
    assert_eq!(talk.census(), Census::default());
}

//! What is left of one connection for the next one, and what is not.

use super::*;

#[test]
fn a_message_that_ends_every_connection_is_given_up_and_the_others_go_on() {
    for kept in [true, false] {
        let mut it = Dialogue::connected(&options());
        let (mut poison, _) = it.publish("poison", Qos::AtLeastOnce);
        let (mut other, _) = it.publish("other", Qos::AtLeastOnce);
        for _ in 0..3 {
            assert_eq!(ended(&mut poison), None);
            assert!(it.sent()[0].contains("poison"));
            it.session.disconnected();
            it.connect(kept);
        }
        let error = poison.try_recv().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
        let sent = it.sent().join(" ");
        assert!(sent.starts_with("publish") && sent.contains("other"), "{sent}");
        assert!(!sent.contains("poison"), "{sent}");
        assert_eq!(ended(&mut other), None);
        assert_eq!(it.backlog.messages(), 1);
    }
}

#[test]
fn a_message_that_nobody_waits_for_is_not_sent_on_the_next_connection() {
    for kept in [true, false] {
        let mut it = Dialogue::connected(&options());
        let (one, _) = it.publish("a", Qos::AtLeastOnce);
        let (_two, _) = it.publish("b", Qos::AtLeastOnce);
        assert_eq!(it.sent().len(), 2);
        drop(one);
        it.session.disconnected();
        it.connect(kept);
        let again = if kept { "publish 2 b again" } else { "publish 3 b" };
        assert_eq!(it.sent(), [again]);
        assert_eq!(it.backlog.messages(), 1);
    }
}

#[test]
fn the_identifier_of_a_given_up_message_of_qos_2_is_not_used_before_the_broker_is_done_with_it() {
    let mut it = Dialogue::connected(&options());
    let (one, _) = it.publish("a", Qos::ExactlyOnce);
    assert_eq!(it.sent(), ["publish 1 a"]);
    drop(one);
    for _ in 0..2 {
        it.session.disconnected();
        it.connect(true);
        assert_eq!(it.sent(), ["pubrel 1"]);
    }
    while it.session.identifiers.take().is_some() {}
    it.hear(Incoming::Completed { id: 1 });
    assert_eq!(it.session.identifiers.take(), Some(1));
}

#[test]
fn the_identifiers_of_unanswered_subscriptions_are_used_again() {
    let mut it = Dialogue::connected(&options());
    let _waiting: Vec<(Outcome, Arc<Buffer>)> =
        (0..1000).map(|_| it.subscribe(&it.members.to_string(), Acknowledge::OnArrival)).collect();
    for _ in 0..70 {
        assert_eq!(it.sent().len(), 1000);
        it.session.disconnected();
        it.connect(false);
    }
    // Answers to what was asked before, or never, free nothing.
    it.sent();
    for id in 1..=u16::MAX {
        it.hear(Incoming::Subscribed { id, outcome: Ok(Qos::AtMostOnce) });
        it.hear(Incoming::Subscribed { id, outcome: Ok(Qos::AtMostOnce) });
    }
    assert_eq!(it.sent(), [""; 0]);
    assert!(it.session.is_restored());
    let all = std::iter::from_fn(|| it.session.identifiers.take()).count();
    assert_eq!(all, usize::from(u16::MAX));
}

#[test]
fn a_subscription_whose_end_was_lost_with_the_connection_is_ended_again() {
    let mut it = Dialogue::connected(&options());
    let (_one, _first) = it.subscribe("a", Acknowledge::OnArrival);
    it.sent();
    it.hear(Incoming::Subscribed { id: 1, outcome: Ok(Qos::AtMostOnce) });
    let (reply, mut done) = oneshot::channel();
    it.session.unsubscribe("a".into(), 1, Some(reply));
    assert_eq!(it.sent(), ["unsubscribe 2 a"]);
    it.session.disconnected();
    it.connect(true);
    assert_eq!(ended(&mut done), None);
    assert_eq!(it.sent(), ["unsubscribe 3 a"]);
    it.session.disconnected();
    // Unless somebody wants it again.
    let (_two, _second) = it.subscribe("a", Acknowledge::OnArrival);
    it.connect(true);
    assert_eq!(it.sent(), ["subscribe 4 a"]);
    assert_eq!(ended(&mut done), Some(Ok(())));
}

#[test]
fn what_the_broker_cannot_know_is_not_remembered_while_there_is_no_connection() {
    for clean_session in [true, false] {
        let mut it = Dialogue::connected(&Options { clean_session, ..options() });
        let (_one, _first) = it.subscribe("asked", Acknowledge::OnArrival);
        it.sent();
        it.session.disconnected();
        for number in 2..1000 {
            let (_outcome, _buffer) = it.subscribe(&number.to_string(), Acknowledge::OnArrival);
            it.session.unsubscribe(number.to_string(), number, None);
        }
        it.session.unsubscribe("asked".into(), 1, None);
        assert_eq!(it.session.stale.len(), usize::from(!clean_session));
        it.connect(!clean_session);
        assert_eq!(it.sent().len(), usize::from(!clean_session));
    }
}

#[test]
fn new_subscriptions_do_not_keep_a_connection_from_being_restored() {
    let mut it = Dialogue::connected(&options());
    let (_old, _first) = it.subscribe("old", Acknowledge::OnArrival);
    it.session.disconnected();
    it.connect(false);
    assert_eq!(it.sent(), ["subscribe 1 old"]);
    let (_new, _second) = it.subscribe("new", Acknowledge::OnArrival);
    let (_outcome, _) = it.publish("x", Qos::AtLeastOnce);
    assert_eq!(it.sent(), ["subscribe 2 new"]);
    assert!(!it.session.is_restored());
    it.hear(Incoming::Subscribed { id: 1, outcome: Ok(Qos::AtMostOnce) });
    assert_eq!(it.sent(), ["publish 3 x"]);
    assert!(it.session.is_restored());
}

#[test]
fn what_came_with_a_kept_session_waits_through_several_connections() {
    let mut it = Dialogue::new(&options());
    for _ in 0..3 {
        it.connect(true);
        it.hear_message(7, Qos::AtLeastOnce, "a");
        it.hear_message(8, Qos::ExactlyOnce, "b");
        assert_eq!(it.sent(), [""; 0]);
        it.session.disconnected();
    }
    it.connect(true);
    it.hear_message(7, Qos::AtLeastOnce, "a");
    let (_outcome, buffer) = it.subscribe("t", Acknowledge::OnArrival);
    assert_eq!(taken(&buffer).unwrap().text(), "a");
    assert!(taken(&buffer).is_none());
    assert_eq!(it.sent()[0], "puback 7");
}

#[test]
fn what_nobody_claims_in_time_is_done_with_on_every_later_connection() {
    let mut it = Dialogue::new(&options());
    it.connect(true);
    it.hear_message(7, Qos::AtLeastOnce, "a");
    it.session.end_claims();
    assert_eq!(it.sent(), ["puback 7"]);
    it.session.disconnected();
    it.connect(true);
    it.hear_message(7, Qos::AtLeastOnce, "a");
    assert_eq!(it.sent(), ["puback 7"]);
}

#[test]
fn what_was_to_be_acknowledged_by_hand_is_left_to_the_broker_when_nobody_takes_it() {
    for leaves in [true, false] {
        let mut it = Dialogue::connected(&options());
        let buffer = Arc::new(Buffer::new(9, Overflow::DropOldest).leaving(leaves));
        let member = Member {
            number: 1,
            qos: Qos::AtLeastOnce,
            acknowledge: Acknowledge::ByHand,
            buffer: Arc::clone(&buffer),
            reply: None,
        };
        it.session.subscribe("t".to_owned(), member);
        assert_eq!(it.sent(), ["subscribe 1 t"]);
        it.hear_message(7, Qos::AtLeastOnce, "a");
        buffer.abandon();
        it.hear_message(8, Qos::AtLeastOnce, "b");
        it.obey();
        assert_eq!(it.sent().len(), if leaves { 0 } else { 2 });
    }
}

#[test]
fn of_what_no_longer_fits_nobody_says_that_it_did_not_arrive() {
    let mut it = Dialogue::connected(&options());
    let (mut sent, _) = it.publish("20 bytes, or about it", Qos::AtLeastOnce);
    assert_eq!(it.sent().len(), 1);
    let (mut fresh, _) = it.publish("20 bytes, or about it", Qos::AtLeastOnce);
    it.session.disconnected();
    it.session.connected(&Welcome {
        session_present: false,
        receive_max: 2,
        packet_bytes_max: 10,
        qos_max: Qos::ExactlyOnce,
        keepalive: None,
        numbers: false,
    });
    assert_eq!(it.sent(), [""; 0]);
    for (outcome, is_unknown) in [(&mut sent, true), (&mut fresh, false)] {
        let error = outcome.try_recv().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, is_unknown));
    }
}

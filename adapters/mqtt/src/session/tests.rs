//! Dialogues between a session and a broker that is written out.

use super::*;
use crate::backlog::Backlog;
use crate::buffer::{Buffer, Overflow};
use crate::message::{Message, Publish};
use crate::qos::Qos;
use crate::subscription::Acknowledge;
use crate::wire::{Arrived, Publication};
use rumqttc::Packet;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::{mpsc, oneshot};

type Outcome = oneshot::Receiver<Result<(), Error>>;

struct Dialogue {
    session: Session,
    commands: mpsc::UnboundedSender<Command>,
    asked: mpsc::UnboundedReceiver<Command>,
    backlog: Arc<Backlog>,
    members: u64,
}

impl Dialogue {
    fn new(options: &Options) -> Self {
        let (commands, asked) = mpsc::unbounded_channel();
        let session = Session::new(options, commands.downgrade());
        let backlog = Arc::new(Backlog::new(100, 10_000));
        Self { session, commands, asked, backlog, members: 0 }
    }

    fn connected(options: &Options) -> Self {
        let mut dialogue = Self::new(options);
        dialogue.connect(false);
        dialogue
    }

    fn connect(&mut self, session_present: bool) {
        self.session.connected(&Welcome {
            session_present,
            receive_max: 2,
            packet_bytes_max: 50,
            qos_max: Qos::ExactlyOnce,
            keepalive: None,
            numbers: false,
        });
    }

    fn publish(&mut self, text: &str, qos: Qos) -> (Outcome, Arc<crate::backlog::Ticket>) {
        let message = Publish::new("t", text.to_owned()).qos(qos);
        let publication = Publication::new(Version::V3, message).unwrap();
        let ticket = Arc::new(self.backlog.enter(publication.size()).unwrap());
        let (reply, outcome) = oneshot::channel();
        let outgoing = Outgoing { publication, ticket: Arc::clone(&ticket), reply, lost: 0 };
        self.session.publish(outgoing);
        (outcome, ticket)
    }

    fn subscribe(&mut self, filter: &str, acknowledge: Acknowledge) -> (Outcome, Arc<Buffer>) {
        let buffer = Arc::new(Buffer::new(9, Overflow::DropOldest));
        let (reply, outcome) = oneshot::channel();
        self.members += 1;
        let member = Member {
            number: self.members,
            qos: Qos::ExactlyOnce,
            acknowledge,
            buffer: Arc::clone(&buffer),
            reply: Some(reply),
        };
        self.session.subscribe(filter.to_owned(), member);
        (outcome, buffer)
    }

    /// What is sent now, in short.
    fn sent(&mut self) -> Vec<String> {
        self.session.pump();
        let mut sent = Vec::new();
        while !self.session.out.is_empty() {
            sent.push(match Packet::read(&mut self.session.out, 1000).unwrap() {
                Packet::Publish(it) => {
                    let text = String::from_utf8_lossy(&it.payload).into_owned();
                    let again = if it.dup { " again" } else { "" };
                    format!("publish {} {text}{again}", it.pkid)
                }
                Packet::PubAck(it) => format!("puback {}", it.pkid),
                Packet::PubRec(it) => format!("pubrec {}", it.pkid),
                Packet::PubRel(it) => format!("pubrel {}", it.pkid),
                Packet::PubComp(it) => format!("pubcomp {}", it.pkid),
                Packet::Subscribe(it) => format!("subscribe {} {}", it.pkid, it.filters[0].path),
                Packet::Unsubscribe(it) => format!("unsubscribe {} {}", it.pkid, it.topics[0]),
                other => format!("{other:?}"),
            });
        }
        sent
    }

    fn hear(&mut self, incoming: Incoming) {
        self.session.receive(incoming).unwrap();
    }

    fn hear_again(&mut self, id: u16, text: &str) {
        self.hear_copy(id, Qos::ExactlyOnce, text, true);
    }

    fn hear_message(&mut self, id: u16, qos: Qos, text: &str) {
        self.hear_copy(id, qos, text, false);
    }

    fn hear_copy(&mut self, id: u16, qos: Qos, text: &str, duplicate: bool) {
        let message = Message {
            topic: "t".into(),
            payload: text.to_owned().into(),
            qos,
            retain: false,
            duplicate,
            properties: crate::message::Properties::default(),
            token: None,
        };
        self.hear(Incoming::Message(Arrived { id, message, numbers: Vec::new() }));
    }

    /// What handles have asked for since.
    fn obey(&mut self) {
        while let Ok(command) = self.asked.try_recv() {
            match command {
                Command::Acknowledge(arrival) => self.session.acknowledge(arrival),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn options() -> Options {
    Options::new("mqtt://h")
}

fn ended(outcome: &mut Outcome) -> Option<Result<(), ErrorKind>> {
    outcome.try_recv().ok().map(|outcome| outcome.map_err(|error| error.kind()))
}

fn taken(buffer: &Buffer) -> Option<Message> {
    match buffer.poll_take(&Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(item)) => Some(item.unwrap()),
        _ => None,
    }
}

#[test]
fn there_are_as_many_under_way_as_the_broker_takes() {
    let mut it = Dialogue::connected(&options());
    let mut outcomes: Vec<Outcome> =
        ["a", "b", "c", "d"].map(|text| it.publish(text, Qos::AtLeastOnce).0).into();
    assert_eq!(it.sent(), ["publish 1 a", "publish 2 b"]);
    // Out of order.
    it.hear(Incoming::Acknowledged { id: 2, outcome: Ok(()) });
    assert_eq!(it.sent(), ["publish 3 c"]);
    it.hear(Incoming::Acknowledged { id: 1, outcome: Ok(()) });
    it.hear(Incoming::Acknowledged { id: 1, outcome: Ok(()) });
    it.hear(Incoming::Acknowledged { id: 9, outcome: Ok(()) });
    assert_eq!(it.sent(), ["publish 4 d"]);
    assert_eq!(outcomes.iter_mut().filter_map(ended).collect::<Vec<_>>(), [Ok(()), Ok(())]);
}

#[test]
fn a_kept_session_goes_on_where_it_was() {
    let mut it = Dialogue::connected(&options());
    let (mut one, _) = it.publish("a", Qos::AtLeastOnce);
    let (mut two, _) = it.publish("b", Qos::ExactlyOnce);
    let (mut three, _) = it.publish("c", Qos::ExactlyOnce);
    assert_eq!(it.sent(), ["publish 1 a", "publish 2 b"]);
    it.hear(Incoming::Received { id: 2, outcome: Ok(()) });
    it.session.disconnected();
    assert_eq!(it.sent(), [""; 0]);
    it.connect(true);
    assert_eq!(it.sent(), ["publish 1 a again", "pubrel 2"]);
    it.hear(Incoming::Acknowledged { id: 1, outcome: Ok(()) });
    it.hear(Incoming::Completed { id: 2 });
    assert_eq!([ended(&mut one), ended(&mut two)], [Some(Ok(())), Some(Ok(()))]);
    assert_eq!(it.sent(), ["publish 3 c"]);
    it.hear(Incoming::Completed { id: 3 });
    assert_eq!(ended(&mut three), None);
    it.hear(Incoming::Received { id: 3, outcome: Ok(()) });
    it.hear(Incoming::Completed { id: 3 });
    assert_eq!(ended(&mut three), Some(Ok(())));
    assert_eq!(it.sent(), ["pubrel 3"]);
}

#[test]
fn without_the_session_messages_of_qos_1_are_sent_anew_and_of_qos_2_nobody_knows() {
    let mut it = Dialogue::connected(&options());
    let (mut one, ticket) = it.publish("a", Qos::AtLeastOnce);
    let (mut two, _) = it.publish("b", Qos::ExactlyOnce);
    let (_three, _) = it.publish("c", Qos::AtLeastOnce);
    assert_eq!(it.sent().len(), 2);
    it.session.disconnected();
    it.session.refused(&Error::new(ErrorKind::Refused, ""));
    it.connect(false);
    let error = two.try_recv().unwrap().unwrap_err();
    assert!(error.outcome_unknown() && !error.is_transient(), "{error}");
    assert!(!ticket.give_up());
    // What was never sent was refused meanwhile.
    assert_eq!(it.sent(), ["publish 3 a"]);
    it.hear(Incoming::Acknowledged { id: 3, outcome: Ok(()) });
    assert_eq!(ended(&mut one), Some(Ok(())));
}

#[test]
fn what_nobody_waits_for_is_not_sent() {
    let mut it = Dialogue::new(&options());
    let (_outcome, ticket) = it.publish("a", Qos::AtLeastOnce);
    let (_other, _) = it.publish("b", Qos::AtLeastOnce);
    assert!(ticket.give_up());
    it.connect(false);
    assert_eq!(it.sent(), ["publish 1 b"]);
}

#[test]
fn those_who_gave_up_leave_nothing_behind() {
    let mut it = Dialogue::new(&options());
    for _ in 0..10_000 {
        let (_outcome, ticket) = it.publish("a", Qos::AtLeastOnce);
        assert!(ticket.give_up());
    }
    assert!(it.session.sending.queued() < 1000);
}

#[test]
fn what_the_broker_does_not_take_is_not_sent() {
    let mut it = Dialogue::connected(&options());
    let (mut large, _) = it.publish(&"x".repeat(60), Qos::AtLeastOnce);
    let (mut small, _) = it.publish("a", Qos::AtMostOnce);
    assert_eq!(it.sent(), ["publish 0 a"]);
    assert_eq!(ended(&mut large), Some(Err(ErrorKind::TooLarge)));
    assert_eq!(ended(&mut small), None);
    it.session.flushed();
    assert_eq!(ended(&mut small), Some(Ok(())));
}

#[test]
fn of_what_may_have_been_sent_nobody_says_that_it_was_not() {
    let mut it = Dialogue::connected(&options());
    let (mut zero, _) = it.publish("a", Qos::AtMostOnce);
    it.sent();
    it.session.disconnected();
    assert!(zero.try_recv().unwrap().unwrap_err().outcome_unknown());
    let (mut queued, _) = it.publish("b", Qos::AtLeastOnce);
    it.session.close();
    assert!(!queued.try_recv().unwrap().unwrap_err().outcome_unknown());
}

#[test]
fn subscriptions_are_restored_before_messages_go_on() {
    let mut it = Dialogue::connected(&options());
    let (mut granted, _buffer) = it.subscribe("a", Acknowledge::OnArrival);
    assert_eq!(it.sent(), ["subscribe 1 a"]);
    it.hear(Incoming::Subscribed { id: 1, outcome: Ok(Qos::AtMostOnce) });
    assert_eq!(ended(&mut granted), Some(Ok(())));
    it.session.disconnected();
    let (_outcome, _) = it.publish("x", Qos::AtLeastOnce);
    it.connect(false);
    assert_eq!(it.sent(), ["subscribe 2 a"]);
    assert!(!it.session.is_restored());
    it.hear(Incoming::Subscribed { id: 2, outcome: Ok(Qos::AtMostOnce) });
    assert_eq!(it.sent(), ["publish 3 x"]);
    assert!(it.session.is_restored());
    // A broker that has kept the session need not be asked.
    it.session.disconnected();
    it.connect(true);
    assert_eq!(it.sent(), ["publish 3 x again"]);
}

#[test]
fn a_filter_is_left_when_the_last_one_leaves() {
    let mut it = Dialogue::connected(&Options { clean_session: false, ..options() });
    let (_first, _one) = it.subscribe("a", Acknowledge::OnArrival);
    let (_second, _two) = it.subscribe("a", Acknowledge::OnArrival);
    assert_eq!(it.sent(), ["subscribe 1 a"]);
    it.hear(Incoming::Subscribed { id: 1, outcome: Ok(Qos::AtMostOnce) });
    it.session.unsubscribe("a".into(), 1, None);
    assert_eq!(it.sent(), [""; 0]);
    it.session.unsubscribe("a".into(), 2, None);
    it.session.unsubscribe("a".into(), 2, None);
    assert_eq!(it.sent(), ["unsubscribe 2 a"]);
    // Without a connection, once there is one.
    let (_third, _three) = it.subscribe("b", Acknowledge::OnArrival);
    assert_eq!(it.sent(), ["subscribe 3 b"]);
    it.session.disconnected();
    it.session.unsubscribe("b".into(), 3, None);
    it.connect(true);
    assert_eq!(it.sent().iter().filter(|sent| sent.ends_with(" b")).count(), 1);
}

#[test]
fn a_subscription_that_is_not_granted_ends() {
    let mut it = Dialogue::connected(&options());
    let (mut granted, _buffer) = it.subscribe("a", Acknowledge::OnArrival);
    it.sent();
    let refused = Err(Error::new(ErrorKind::Server, "no"));
    it.hear(Incoming::Subscribed { id: 1, outcome: refused });
    assert_eq!(ended(&mut granted), Some(Err(ErrorKind::Server)));
    it.session.disconnected();
    it.connect(false);
    assert_eq!(it.sent(), [""; 0]);
}

#[test]
fn a_message_of_qos_2_is_taken_once() {
    let mut it = Dialogue::connected(&options());
    let (_outcome, buffer) = it.subscribe("t", Acknowledge::OnArrival);
    assert_eq!(it.sent(), ["subscribe 1 t"]);
    it.hear_message(7, Qos::ExactlyOnce, "a");
    assert_eq!(it.sent(), ["pubrec 7"]);
    it.session.disconnected();
    it.connect(true);
    it.sent();
    it.hear_message(7, Qos::ExactlyOnce, "a");
    it.hear(Incoming::Released { id: 7 });
    assert_eq!(it.sent(), ["pubrec 7", "pubcomp 7"]);
    // One that nobody knows.
    it.hear(Incoming::Released { id: 7 });
    it.hear_message(7, Qos::ExactlyOnce, "b");
    assert_eq!(it.sent(), ["pubcomp 7", "pubrec 7"]);
    let texts: Vec<String> =
        std::iter::from_fn(|| taken(&buffer)).map(|message| message.text()).collect();
    assert_eq!(texts, ["a", "b"]);
}

#[test]
fn a_message_that_a_broker_sends_anew_after_its_end_is_not_taken_again() {
    let mut it = Dialogue::connected(&options());
    let (_outcome, buffer) = it.subscribe("t", Acknowledge::OnArrival);
    it.sent();
    it.hear_message(7, Qos::ExactlyOnce, "a");
    it.hear(Incoming::Released { id: 7 });
    for _ in 0..2 {
        it.session.disconnected();
        it.connect(true);
        it.sent();
    }
    it.hear_again(7, "a");
    it.hear(Incoming::Released { id: 7 });
    assert_eq!(it.sent(), ["pubrec 7", "pubcomp 7"]);
    // The broker has read that when it goes on; then the identifier is another message's.
    it.hear_message(8, Qos::ExactlyOnce, "b");
    it.hear(Incoming::Released { id: 8 });
    it.hear_again(7, "a");
    // So it is with another content.
    it.hear_again(8, "c");
    let texts: Vec<String> =
        std::iter::from_fn(|| taken(&buffer)).map(|message| message.text()).collect();
    assert_eq!(texts, ["a", "b", "a", "c"]);
}

#[test]
fn a_message_is_acknowledged_when_all_are_done_with_it() {
    let mut it = Dialogue::connected(&options());
    let (_one, first) = it.subscribe("t", Acknowledge::ByHand);
    let (_two, second) = it.subscribe("t", Acknowledge::ByHand);
    let (_three, _third) = it.subscribe("t", Acknowledge::OnArrival);
    it.sent();
    it.hear_message(7, Qos::AtLeastOnce, "a");
    let (mut one, mut two) = (taken(&first).unwrap(), taken(&second).unwrap());
    one.acknowledge();
    one.clone().acknowledge();
    it.obey();
    assert_eq!(it.sent(), [""; 0]);
    two.acknowledge();
    it.obey();
    assert_eq!(it.sent(), ["puback 7"]);
    // Too late, and only for the connection that it came on.
    it.hear_message(8, Qos::AtLeastOnce, "b");
    it.session.disconnected();
    it.connect(true);
    it.sent();
    for buffer in [&first, &second] {
        taken(buffer).unwrap().acknowledge();
    }
    it.obey();
    assert_eq!(it.sent(), [""; 0]);
    assert!(!it.commands.is_closed());
}

#[test]
fn a_message_of_qos_2_can_be_done_with_after_the_next_connection() {
    let mut it = Dialogue::connected(&options());
    let (_outcome, buffer) = it.subscribe("t", Acknowledge::OnTake);
    it.sent();
    it.hear_message(7, Qos::ExactlyOnce, "a");
    it.session.disconnected();
    it.connect(true);
    it.sent();
    it.hear_message(7, Qos::ExactlyOnce, "a");
    assert_eq!(it.sent(), [""; 0]);
    taken(&buffer).unwrap().acknowledge();
    it.obey();
    assert_eq!(it.sent(), ["pubrec 7"]);
    assert!(taken(&buffer).is_none());
}

#[test]
fn a_message_that_nobody_wants_is_done_with() {
    let mut it = Dialogue::connected(&options());
    it.hear_message(7, Qos::AtLeastOnce, "a");
    it.session.skipped(2, "t", 8, 1000);
    assert_eq!(it.sent(), ["puback 7", "pubrec 8"]);
}

mod reconnecting;

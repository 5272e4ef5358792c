//! Workerman's requests against a broker: what is acknowledged when, and what is remembered.

use super::*;
use workyard_channel_core::BrokerLimits;
use workyard_engine::{Effect, Recorder, read};
use workyard_protocol::ToClient;
use workyard_protocol::channel::Reply;
use workyard_workerman::channel::decode;

/// A broker at a desk.
struct Office {
    desk: Desk,
    broker: Broker,
}

impl Office {
    fn new() -> Self {
        Self { desk: Desk::default(), broker: Broker::new(BrokerLimits::default()) }
    }

    /// A session sends a frame's body. Returns the jobs that this makes somebody receive, as texts.
    fn hears(&mut self, slot: u32, body: &str) -> Vec<String> {
        let request = decode(body.as_bytes()).expect("it is a request");
        let mut outbox = Recorder::default();
        let Self { desk, broker } = self;
        desk.handle(broker, Time::default(), session(slot), request, &mut outbox);
        jobs(&outbox.take())
    }

    fn loses(&mut self, slot: u32) -> Vec<String> {
        let mut outbox = Recorder::default();
        self.desk.close(session(slot));
        let mut spelled = Spelled::new(&mut outbox, self.desk.spellings());
        self.broker.close(Time::default(), session(slot), &mut spelled);
        jobs(&outbox.take())
    }
}

fn session(slot: u32) -> SessionId {
    SessionId::new(slot, 1)
}

fn jobs(effects: &[Effect]) -> Vec<String> {
    let job = |effect: &Effect| {
        let Effect::Push(to, frame) = effect else { return None };
        let ToClient::Push(Push::Job { queue, job, .. }) = read::<Reply<'_>, Push<'_>>(frame)
        else {
            return None;
        };
        Some(format!("{} gets {job} of {queue}", to.slot()))
    };
    effects.iter().filter_map(job).collect()
}

fn string(text: &str) -> String {
    format!("s:{}:\"{text}\";", text.len())
}

fn verb(verb: &str, name: &str) -> String {
    let verb = string(verb);
    format!("a:2:{{s:4:\"type\";{verb}s:8:\"channels\";a:1:{{i:0;{name}}}}}")
}

fn enqueue(name: &str) -> String {
    let head = "a:3:{s:4:\"type\";s:7:\"enqueue\";s:8:\"channels\"";
    format!("{head};a:1:{{i:0;{name}}}s:4:\"data\";i:1;}}")
}

const RESERVE: &str = "a:1:{s:4:\"type\";s:7:\"reserve\";}";
const NOTHING: [&str; 0] = [];

#[test]
fn the_reserve_behind_a_watch_acknowledges_nothing_and_every_other_the_oldest_job() {
    let mut office = Office::new();
    office.hears(9, &enqueue(&string("a")));
    office.hears(9, &enqueue(&string("b")));
    office.hears(1, &verb("watch", &string("a")));
    assert_eq!(office.hears(1, RESERVE), ["1 gets 1 of a"]);
    // Another `watch` while the first job is at work: its reserve says nothing about that job.
    office.hears(1, &verb("watch", &string("b")));
    assert_eq!(office.hears(1, RESERVE), ["1 gets 2 of b"]);
    assert_eq!(office.broker.census().leased, 2);
    assert_eq!(office.hears(1, RESERVE), NOTHING);
    assert_eq!(office.broker.census().leased, 1, "the first job is done");
    office.hears(2, &verb("watch", &string("b")));
    office.hears(2, RESERVE);
    assert_eq!(office.loses(1), ["2 gets 2 of b"]);
}

#[test]
fn a_queue_is_spelled_as_its_maker_did_until_it_is_forgotten() {
    let mut office = Office::new();
    office.hears(1, &verb("watch", "i:7;"));
    office.hears(9, &enqueue("s:1:\"7\";"));
    assert_eq!(office.desk.queues.get(&b"7"[..]).map(AsRef::as_ref), Some(&b"i:7;"[..]));
    office.hears(1, RESERVE);
    office.hears(1, &verb("unwatch", "i:7;"));
    office.hears(1, RESERVE);
    assert_eq!(office.broker.queues(), 0);
    office.hears(9, &enqueue("s:1:\"7\";"));
    assert_eq!(office.desk.queues.get(&b"7"[..]), None);
}

#[test]
fn spellings_of_queues_that_are_gone_do_not_pile_up() {
    let mut office = Office::new();
    office.hears(1, &verb("watch", "i:0;"));
    for number in 1..10_000 {
        office.hears(1, &verb("watch", &format!("i:{number};")));
        office.hears(1, &verb("unwatch", &format!("i:{number};")));
    }
    assert!(office.desk.queues.len() <= SPELLINGS_KEPT_MIN + 2, "{}", office.desk.queues.len());
    assert!(office.desk.queues.contains_key(&b"0"[..]));
}

#[test]
fn what_cannot_be_told_is_counted() {
    let mut office = Office::new();
    let long = string(&"x".repeat(5000));
    for verb_name in ["subscribe", "unsubscribe", "watch", "unwatch"] {
        office.hears(1, &verb(verb_name, &long));
    }
    office.hears(1, &enqueue(&long));
    assert_eq!(office.desk.untold.total(), 5);
    assert_eq!(office.broker.census(), Broker::new(BrokerLimits::default()).census());
}

#[test]
fn who_is_gone_is_not_remembered() {
    let mut office = Office::new();
    office.hears(1, &verb("watch", "i:7;"));
    assert!(office.desk.beginning.contains(&session(1)));
    office.loses(1);
    assert!(office.desk.beginning.is_empty());
}

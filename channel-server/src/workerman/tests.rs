//! Workerman's requests against a broker: what is acknowledged when, and what is remembered.

use super::*;
use workyard_channel_core::BrokerLimits;
use workyard_engine::{Effect, Recorder, read};
use workyard_protocol::ToClient;
use workyard_protocol::channel::Reply;
use workyard_workerman::channel::decode;

/// A broker and its clients.
struct World {
    clients: Clients,
    broker: Broker,
}

impl World {
    fn new() -> Self {
        Self { clients: Clients::default(), broker: Broker::new(BrokerLimits::default()) }
    }

    /// A session sends a frame's body. Returns the jobs that this makes somebody receive, as texts.
    fn hears(&mut self, slot: u32, body: &str) -> Vec<String> {
        let request = decode(body.as_bytes()).expect("it is a request");
        let mut outbox = Recorder::default();
        let Self { clients, broker } = self;
        clients.handle(broker, Time::default(), session(slot), request, &mut outbox);
        jobs(&outbox.take())
    }

    fn loses(&mut self, slot: u32) -> Vec<String> {
        let mut outbox = Recorder::default();
        self.clients.close(session(slot));
        let mut spelled = Spelled::new(&mut outbox, self.clients.spellings());
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
    let mut world = World::new();
    world.hears(9, &enqueue(&string("a")));
    world.hears(9, &enqueue(&string("b")));
    world.hears(1, &verb("watch", &string("a")));
    assert_eq!(world.hears(1, RESERVE), ["1 gets 1 of a"]);
    // Another `watch` while the first job is at work: its reserve says nothing about that job.
    world.hears(1, &verb("watch", &string("b")));
    assert_eq!(world.hears(1, RESERVE), ["1 gets 2 of b"]);
    assert_eq!(world.broker.census().leased, 2);
    assert_eq!(world.hears(1, RESERVE), NOTHING);
    assert_eq!(world.broker.census().leased, 1, "the first job is done");
    world.hears(2, &verb("watch", &string("b")));
    world.hears(2, RESERVE);
    assert_eq!(world.loses(1), ["2 gets 2 of b"]);
}

#[test]
fn a_queue_is_spelled_as_its_maker_did_until_it_is_forgotten() {
    let mut world = World::new();
    world.hears(1, &verb("watch", "i:7;"));
    world.hears(9, &enqueue("s:1:\"7\";"));
    assert_eq!(world.clients.queues.get(&b"7"[..]).map(AsRef::as_ref), Some(&b"i:7;"[..]));
    world.hears(1, RESERVE);
    world.hears(1, &verb("unwatch", "i:7;"));
    world.hears(1, RESERVE);
    assert_eq!(world.broker.queues(), 0);
    world.hears(9, &enqueue("s:1:\"7\";"));
    assert_eq!(world.clients.queues.get(&b"7"[..]), None);
}

#[test]
fn spellings_of_queues_that_are_gone_do_not_pile_up() {
    let mut world = World::new();
    world.hears(1, &verb("watch", "i:0;"));
    for number in 1..10_000 {
        world.hears(1, &verb("watch", &format!("i:{number};")));
        world.hears(1, &verb("unwatch", &format!("i:{number};")));
    }
    assert!(world.clients.queues.len() <= SPELLINGS_KEPT_MIN + 2, "{}", world.clients.queues.len());
    assert!(world.clients.queues.contains_key(&b"0"[..]));
}

#[test]
fn what_cannot_be_told_is_counted() {
    let mut world = World::new();
    let long = string(&"x".repeat(5000));
    for verb_name in ["subscribe", "unsubscribe", "watch", "unwatch"] {
        world.hears(1, &verb(verb_name, &long));
    }
    world.hears(1, &enqueue(&long));
    assert_eq!(world.clients.untold.total(), 5);
    assert_eq!(world.broker.census(), Broker::new(BrokerLimits::default()).census());
}

#[test]
fn who_is_gone_is_not_remembered() {
    let mut world = World::new();
    world.hears(1, &verb("watch", "i:7;"));
    assert!(world.clients.beginning.contains(&session(1)));
    world.loses(1);
    assert!(world.clients.beginning.is_empty());
}

#[test]
fn a_name_that_is_too_long_costs_its_neighbours_nothing() {
    let mut world = World::new();
    let long = "x".repeat(5000);
    let list = format!("a:3:{{i:0;{}i:1;{}i:2;{}}}", string("a"), string(&long), string("b"));
    world.hears(1, &format!("a:2:{{s:4:\"type\";{}s:8:\"channels\";{list}}}", string("subscribe")));
    assert_eq!(world.broker.census().subscriptions, 2);
    world.hears(
        1,
        &format!(
            "a:3:{{s:4:\"type\";{}s:8:\"channels\";{list}s:4:\"data\";N;}}",
            string("enqueue")
        ),
    );
    assert_eq!(world.broker.census().ready, 2);
    assert_eq!(world.clients.untold.total(), 2);
}

/// Sixteen bytes for each copy of a long name: what is copied is bounded by the request.
#[test]
fn names_that_stand_for_each_other_do_not_multiply() {
    let list = |length: usize, copies: usize| {
        let name = string(&"n".repeat(length));
        let ties: String = (1..copies).map(|at| format!("i:{at};R:4;")).collect();
        let head = format!("a:2:{{s:4:\"type\";{}s:8:\"channels\"", string("watch"));
        format!("{head};a:{copies}:{{i:0;{name}{ties}}}}}")
    };
    assert!(decode(list(8, 3).as_bytes()).is_some());
    assert!(decode(list(4000, 3000).as_bytes()).is_none());
    let body = list(1_000_000, 3500);
    let Some(Request::Watch(names)) = decode(body.as_bytes()) else {
        panic!("names that are too long are no reason to refuse the others");
    };
    assert_eq!((names.list.len(), names.too_long), (0, 3500));
}

#[test]
fn what_comes_between_a_watch_and_its_reserve_changes_nothing() {
    let mut world = World::new();
    world.hears(9, &enqueue(&string("a")));
    world.hears(1, &verb("watch", &string("a")));
    assert_eq!(world.hears(1, RESERVE), ["1 gets 1 of a"]);
    world.hears(1, &verb("watch", &string("b")));
    world.hears(1, &verb("subscribe", &string("news")));
    world.hears(1, RESERVE);
    assert_eq!(world.broker.census().leased, 1);
}

//! Routes: what is published to the same recipients can be delivered together.

use crate::dialogue::{Dialogue, session};
use workyard_engine::{Caller, Engine, Outbox, Publication, Route, SessionId, Time};
use workyard_protocol::channel::{ChannelWire, Publish, Push, Reply, Request};
use workyard_protocol::{ChannelName, Refusal, ValueRef};

#[test]
fn a_route_stays_until_the_recipients_change() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a");
    talk.subscribe_all([1, 2], "b");
    let route = talk.routes_of("a");
    assert_eq!(talk.routes_of("a"), route);
    assert_ne!(talk.routes_of("b"), route);
    talk.session(1).unsubscribes("b").done();
    talk.session(1).subscribes("a").done();
    assert_eq!(talk.routes_of("a"), route);
    talk.session(3).subscribes("a").done();
    let route_of_three = talk.routes_of("a");
    assert_ne!(route_of_three, route);
    talk.session(3).closes().nothing();
    assert_ne!(talk.routes_of("a"), route_of_three);
}

#[test]
fn with_patterns_it_is_the_same() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a.b, ~a.*, ~a.>, ~c.*");
    let route = talk.routes_of("a.b");
    talk.subscribe_all([3], "elsewhere");
    assert_eq!(talk.routes_of("a.b"), route, "nothing about its topics changed");
    talk.subscribe_all([3], "~a.>");
    assert_ne!(talk.routes_of("a.b"), route);
    let patterns = talk.routes_of("a.c");
    assert_eq!(talk.routes_of("a.d"), patterns, "the same patterns are the same recipients");
    let pattern = talk.routes_of("c.1");
    assert_eq!(talk.routes_of("c.2"), pattern);
}

#[test]
fn a_single_recipient_has_a_route_of_its_own() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "a@g, a@h");
    let first = talk.routes_of("a");
    let second = talk.routes_of("a");
    assert!(first.iter().all(|route| !second.contains(route)));
    assert_ne!(first[0], first[1]);
}

/// Keeps the last route and reads no recipient.
#[derive(Default)]
struct Blind(Vec<Route>);

impl Outbox<ChannelWire> for Blind {
    fn reply(&mut self, _: Caller, _: Reply<'_>) {}
    fn refuse(&mut self, _: Caller, refusal: Refusal) {
        panic!("{refusal}");
    }
    fn push(&mut self, _: SessionId, _: Push<'_>) {}
    fn publish(
        &mut self,
        publication: Publication<'_, Push<'_>>,
        _: impl IntoIterator<Item = SessionId>,
    ) {
        self.0.push(publication.route);
    }
    fn has_room(&mut self, _: SessionId) -> bool {
        true
    }
    fn disconnect(&mut self, _: SessionId, refusal: Refusal) {
        panic!("{refusal}");
    }
}

#[test]
fn publishing_again_does_not_depend_on_the_recipients_being_read() {
    let mut talk = Dialogue::new();
    talk.subscribe_all(0..1000, "a, ~a");
    let mut outbox = Blind::default();
    for request in 1..=1000 {
        let caller = Caller { session: session(1), request };
        let publish = Publish { channel: ChannelName::new("a").unwrap(), value: ValueRef::Int(1) };
        talk.broker.handle(Time::default(), caller, Request::Publish(publish), &mut outbox);
    }
    assert_eq!(outbox.0.len(), 1000);
    outbox.0.dedup();
    assert_eq!(outbox.0.len(), 1);
}

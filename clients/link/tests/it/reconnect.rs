//! What a lost connection means for whom.

use crate::requests::{answer, ask, connected, question};
use crate::support::{FakeServer, a_welcome};
use std::time::Duration;
use tokio::time::Instant;
use workyard_link::{
    DisconnectReason, ErrorKind, Event, Link, Options, Outbox, Received, Server, Session,
    Stateless, Unread,
};
use workyard_protocol::control::{ServiceKind, Welcome};
use workyard_protocol::globaldata::{Existence, Exists, Reply, Request};
use workyard_protocol::{DecodeError, Key, Reason, Refusal};

#[tokio::test]
async fn a_request_in_flight_fails_and_its_outcome_is_unknown() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let serving = async {
        question(&mut peer).await;
        drop(peer);
    };
    let (failed, ()) = tokio::join!(ask(&link, 1), serving);
    let error = failed.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(error.outcome_unknown());
}

#[tokio::test]
async fn a_request_that_was_never_sent_waits_for_the_next_connection() {
    let server = FakeServer::bind().await;
    let (link, peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    drop(peer);
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    let serving = async {
        let mut peer = server.welcome().await;
        let asked = question(&mut peer).await;
        answer(&mut peer, asked).await;
        peer
    };
    let (answered, _peer) = tokio::join!(ask(&link, 1), serving);
    assert_eq!(answered.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_finds_no_connection_in_time_was_not_sent() {
    let server = FakeServer::bind().await;
    let (link, peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    drop((peer, server));
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    let began = Instant::now();
    let error = ask(&link, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(!error.outcome_unknown());
    assert_eq!(began.elapsed().as_millis() / 10, 500);
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_finds_no_connection_tells_of_the_loss_too() {
    let server = FakeServer::bind().await;
    let (link, peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    let key = Key::new("1").unwrap();
    link.send(&Request::Exists(Exists { key })).await.unwrap();
    drop((peer, server));
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    let error = link.flush().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    let error = link.flush().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "the loss is told once");
}

#[tokio::test]
async fn a_waiting_request_whose_caller_has_gone_is_dropped() {
    let server = FakeServer::bind().await;
    let mut options = Options::default();
    options.call_timeout = Duration::from_millis(20);
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), options, session).unwrap();
    assert!(ask(&link, 1).await.is_err());
    let patient = link.with_call_timeout(Duration::from_secs(5));
    let serving = async {
        let mut peer = server.welcome().await;
        let asked = question(&mut peer).await;
        assert_eq!(asked.1, 2);
        answer(&mut peer, asked).await;
        peer
    };
    let (answered, _peer) = tokio::join!(ask(&patient, 2), serving);
    assert_eq!(answered.unwrap(), 2);
}

#[tokio::test]
async fn events_tell_whether_the_server_is_still_the_same() {
    let server = FakeServer::bind().await;
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), Options::default(), session).unwrap();
    let mut events = link.events();
    for (epoch, expected) in [(7, false), (7, true), (8, false)] {
        let peer = server.welcome_as(Welcome { epoch, ..a_welcome() }).await;
        match events.next().await {
            Some(Event::Connected { server, resumed, .. }) => {
                assert_eq!((server.epoch, resumed), (epoch, expected));
            }
            other => panic!("unexpected {other:?}"),
        }
        peer.goodbye(Reason::ShuttingDown, None).await;
        match events.next().await {
            Some(Event::Disconnected { reason, .. }) => {
                assert!(reason.to_string().contains("ShuttingDown"), "{reason}");
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_says_when_is_obeyed() {
    let server = FakeServer::bind().await;
    let (link, peer) = connected(&server, Options::default()).await;
    let began = Instant::now();
    peer.goodbye(Reason::ShuttingDown, Some(3000)).await;
    let _peer = server.welcome().await;
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(3000), "came back after {waited:?}");
    assert!(waited <= Duration::from_millis(4600), "came back after {waited:?}");
    drop(link);
}

/// Restores two things on every connection, by their numbers.
struct Restoring;

impl Session for Restoring {
    type Command = ();

    fn service(&self) -> ServiceKind {
        ServiceKind::GlobalData
    }

    fn connected(&mut self, _: &Server, outbox: &mut Outbox) {
        for (token, key) in [(1, "501"), (2, "502")] {
            let request = Request::Exists(Exists { key: Key::new(key).unwrap() });
            outbox.request(token, &request);
        }
    }

    fn disconnected(&mut self, _: &DisconnectReason, _: &mut Outbox) {}

    fn command(&mut self, (): (), outbox: &mut Outbox) {
        outbox.request(3, &Request::Exists(Exists { key: Key::new("503").unwrap() }));
    }

    fn pushed(&mut self, push: &Received, _: &mut Outbox) -> Result<(), DecodeError> {
        push.decode::<Unread<'_>>().map(|_| ())
    }

    fn answered(
        &mut self,
        token: u64,
        answer: Result<Received, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        let answer = answer.unwrap();
        let Reply::Existence(Some(Existence { revision, .. })) = answer.decode()? else {
            return Err(DecodeError::Malformed(format!("unexpected {answer:?}")));
        };
        assert_eq!(revision, token + 500);
        if token == 1 {
            outbox.event(Event::Refused(Refusal::new(Reason::NotFound, "restored")));
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_new_connection_is_restored_before_anything_else_is_sent() {
    let server = FakeServer::bind().await;
    let link = Link::connect_lazy(server.address(), Options::default(), Restoring).unwrap();
    for _ in 0..3 {
        let mut events = link.events();
        // Asked for before there is a connection; the link takes it afterwards.
        let request = Request::Exists(Exists { key: Key::new("1").unwrap() });
        let asking = link.request(&request);
        let serving = async {
            let mut peer = server.welcome().await;
            let mut numbers = Vec::new();
            for _ in 0..3 {
                let asked = question(&mut peer).await;
                numbers.push(asked.1);
                answer(&mut peer, asked).await;
            }
            assert_eq!(numbers, [501, 502, 1]);
            peer
        };
        let (answered, peer) = tokio::join!(asking, serving);
        answered.unwrap();
        drop(peer);
        while !matches!(events.next().await, Some(Event::Disconnected { .. })) {}
    }
}

#[tokio::test]
async fn commands_and_requests_stay_in_order() {
    let server = FakeServer::bind().await;
    let link = Link::connect_lazy(server.address(), Options::default(), Restoring).unwrap();
    let serving = async {
        let mut peer = server.welcome().await;
        let mut numbers = Vec::new();
        for _ in 0..5 {
            let asked = question(&mut peer).await;
            numbers.push(asked.1);
            answer(&mut peer, asked).await;
        }
        assert_eq!(numbers, [501, 502, 1, 503, 2]);
        peer
    };
    let asking = async {
        link.send(&Request::Exists(Exists { key: Key::new("1").unwrap() })).await.unwrap();
        link.command(()).await.unwrap();
        link.send(&Request::Exists(Exists { key: Key::new("2").unwrap() })).await.unwrap();
    };
    // The answers to what nobody waits for would end the connection, and are not looked at here.
    let ((), _peer) = tokio::join!(asking, serving);
}

#[tokio::test]
async fn flush_tells_of_what_was_lost_with_a_connection() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    link.send(&Request::Exists(Exists { key: Key::new("1").unwrap() })).await.unwrap();
    question(&mut peer).await;
    drop(peer);
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    let serving = async {
        let mut peer = server.welcome().await;
        peer.next().await
    };
    let flushing = async {
        let other = link.clone();
        assert_eq!(link.flush().await.unwrap_err().kind(), ErrorKind::Disconnected);
        link.flush().await.unwrap();
        assert_eq!(other.flush().await.unwrap_err().kind(), ErrorKind::Disconnected);
        link.close(Duration::from_secs(5)).await.unwrap();
    };
    let (hung_up, ()) = tokio::join!(serving, flushing);
    assert!(hung_up.is_none());
}

//! Requests and replies: each its own, whatever the order, whoever gives up.

use crate::support::{FakeServer, Peer};
use futures_util::future::join_all;
use std::time::Duration;
use workyard_link::{Error, ErrorKind, Event, Link, Options, Stateless};
use workyard_protocol::control::ServiceKind;
use workyard_protocol::globaldata::{Existence, Exists, Reply, Request};
use workyard_protocol::{Key, Reason, RequestId};

pub(crate) type TestLink = Link<Stateless>;

pub(crate) async fn connected(server: &FakeServer, options: Options) -> (TestLink, Peer) {
    let session = Stateless(ServiceKind::GlobalData);
    let connecting = Link::connect(server.address(), options, session);
    let (link, peer) = tokio::join!(connecting, server.welcome());
    (link.unwrap(), peer)
}

pub(crate) fn asking(number: u64) -> (Vec<u8>, u64) {
    (number.to_string().into_bytes(), number)
}

/// Asks about a key that is a number; a right answer is that number.
pub(crate) async fn ask(link: &TestLink, number: u64) -> Result<u64, Error> {
    let (key, _) = asking(number);
    let request = Request::Exists(Exists { key: Key::new(&key).unwrap() });
    let received = link.request(&request).await?;
    match received.decode::<Reply<'_>>()? {
        Reply::Existence(Some(Existence { revision, .. })) => Ok(revision),
        other => panic!("unexpected {other:?}"),
    }
}

/// The next question: its request's id, and its number.
pub(crate) async fn question(peer: &mut Peer) -> (RequestId, u64) {
    let frame = peer.next().await.expect("a request");
    let (id, Request::Exists(Exists { key })) = frame.request::<Request<'_>>() else {
        panic!("unexpected {frame:?}")
    };
    (id, std::str::from_utf8(key.as_bytes()).unwrap().parse().unwrap())
}

pub(crate) async fn answer(peer: &mut Peer, (id, number): (RequestId, u64)) {
    let existence = Existence { revision: number, ttl_ms: None };
    peer.reply(id, Reply::Existence(Some(existence))).await;
}

#[tokio::test]
async fn replies_find_their_requests_in_any_order() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let serving = async {
        let mut questions = Vec::new();
        for _ in 0..100 {
            questions.push(question(&mut peer).await);
        }
        fastrand::shuffle(&mut questions);
        for asked in questions {
            answer(&mut peer, asked).await;
        }
    };
    let asking = join_all((0..100).map(|number| ask(&link, number)));
    let (answers, ()) = tokio::join!(asking, serving);
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), number as u64);
    }
}

#[tokio::test]
async fn a_refusal_is_an_error_of_its_request_alone() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let serving = async {
        let (first, second) = (question(&mut peer).await, question(&mut peer).await);
        peer.refuse(first.0, Reason::LimitReached).await;
        answer(&mut peer, second).await;
    };
    let (refused, answered, ()) = tokio::join!(ask(&link, 1), ask(&link, 2), serving);
    match refused.unwrap_err() {
        Error::Refused(refusal) => assert_eq!(refusal.reason, Reason::LimitReached),
        other => panic!("expected a refusal, not {other}"),
    }
    assert_eq!(answered.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_goes_to_nobody() {
    let server = FakeServer::bind().await;
    let mut options = Options::default();
    options.call_timeout = Duration::from_millis(100);
    let (link, mut peer) = connected(&server, options).await;
    let (late, error) = tokio::join!(question(&mut peer), ask(&link, 1));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.outcome_unknown());
    let serving = async {
        let asked = question(&mut peer).await;
        assert_ne!(asked.0, late.0, "the id of the late answer is taken");
        answer(&mut peer, late).await;
        answer(&mut peer, asked).await;
    };
    let (answered, ()) = tokio::join!(ask(&link, 2), serving);
    assert_eq!(answered.unwrap(), 2);
}

#[tokio::test]
async fn an_answer_to_nothing_ends_the_connection() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    peer.reply(77, Reply::Existence(None)).await;
    match events.next().await {
        Some(Event::Disconnected { reason, .. }) => {
            assert!(reason.to_string().contains("answer to request 77"), "{reason}");
        }
        other => panic!("unexpected {other:?}"),
    }
}

#[tokio::test]
async fn what_is_sent_without_waiting_is_refused_by_an_event() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    let request = Request::Exists(Exists { key: Key::new("1").unwrap() });
    link.send(&request).await.unwrap();
    assert_eq!(question(&mut peer).await, (0, 1));
    peer.refuse(0, Reason::LimitReached).await;
    match events.next().await {
        Some(Event::Refused(refusal)) => assert_eq!(refusal.reason, Reason::LimitReached),
        other => panic!("unexpected {other:?}"),
    }
}

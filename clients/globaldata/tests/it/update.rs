//! The loop around cas.

use crate::dialogue::{answer, conflict, connected, got, in_words, stored};
use crate::support::FakeServer;
use workyard_globaldata::limits::UPDATE_ATTEMPTS_MAX;
use workyard_globaldata::{ErrorKind, Value};
use workyard_protocol::ValueRef;
use workyard_protocol::globaldata::{Reply, Request};

#[tokio::test(start_paused = true)]
async fn an_update_is_tried_until_nobody_was_faster() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        answer(&mut peer, "get a", Reply::Got(None)).await;
        answer(&mut peer, "write a if absent for as long as it had: 1", conflict(4)).await;
        answer(&mut peer, "get a", got(4, ValueRef::Int(10))).await;
        answer(&mut peer, "write a if 4 for as long as it had: 11", conflict(5)).await;
        answer(&mut peer, "get a", got(6, ValueRef::Int(20))).await;
        answer(&mut peer, "write a if 6 for as long as it had: 21", stored(7)).await;
    };
    let updating = client.update("a", |count: Option<i64>| count.unwrap_or(0) + 1);
    let (updated, ()) = tokio::join!(updating, serving);
    let updated = updated.unwrap();
    assert_eq!((updated.value, updated.revision), (21, 7));
}

#[tokio::test(start_paused = true)]
async fn an_update_against_all_odds_gives_up() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        for _ in 0..UPDATE_ATTEMPTS_MAX {
            answer(&mut peer, "get a", got(4, ValueRef::Int(10))).await;
            answer(&mut peer, "write a if 4 for as long as it had: 11", conflict(5)).await;
        }
    };
    let updating = client.update("a", |count: Option<i64>| count.unwrap_or(0) + 1);
    let (updated, ()) = tokio::join!(updating, serving);
    let error = updated.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contended);
    assert!(error.to_string().contains("gave up after 64 attempts"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn many_updates_of_one_variable_all_count() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let (mut value, mut revision) = (Value::Int(0), 1);
        while value != Value::Int(50) {
            let frame = peer.next().await.unwrap();
            let (id, request) = frame.request::<Request<'_>>();
            let reply = match &request {
                Request::Get(_) => got(revision, value.as_ref()),
                Request::Write(write)
                    if in_words(&request).contains(&format!("if {revision} for")) =>
                {
                    (value, revision) = (write.value.to_value(), revision + 1);
                    stored(revision)
                }
                _ => conflict(revision),
            };
            peer.reply(id, reply).await;
        }
    };
    let updates = (0..50).map(|_| client.update("a", |count: Option<i64>| count.unwrap() + 1));
    let updating = futures_util::future::join_all(updates);
    let (updated, ()) = tokio::join!(updating, serving);
    let mut values: Vec<_> = updated.into_iter().map(|one| one.unwrap().value).collect();
    values.sort_unstable();
    assert_eq!(values, (1..=50).collect::<Vec<_>>());
}

//! Modifications: what travels, what comes back, and what is an answer rather than an error.

use crate::dialogue::{answer, conflict, connected, hear, modified};
use crate::support::FakeServer;
use std::time::Duration;
use workyard_globaldata::{
    BatchOutcome, Bounds, Conflict, ErrorKind, Number, OutOfBounds, Reason, Refusal, StepResult,
    Value,
};
use workyard_protocol::ValueRef;
use workyard_protocol::globaldata::{BatchReply, Outcome, Reply};

#[tokio::test]
async fn each_call_is_one_request() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let number = |int| modified(Outcome::Number(Number::Int(int)));
    let old = || modified(Outcome::Values(vec![ValueRef::Int(5)]));
    let serving = async {
        answer(&mut peer, "append xy to a", modified(Outcome::Length(2))).await;
        answer(&mut peer, "prepend w to a", modified(Outcome::Length(3))).await;
        answer(&mut peer, "min 3 of n", number(3)).await;
        answer(&mut peer, "max 0.5 of n for 1000 ms", number(4)).await;
        answer(&mut peer, "add -1 within 0.. from 0 to n", number(2)).await;
        answer(&mut peer, "add 1 clamped within ..9 from 0 to n", number(9)).await;
        answer(&mut peer, "swap new with a for ever", old()).await;
        answer(&mut peer, "take a", old()).await;
        answer(&mut peer, "take a", modified(Outcome::Values(vec![]))).await;
    };
    let asking = async {
        assert_eq!(client.append("a", "xy").await.unwrap(), 2);
        assert_eq!(client.prepend("a", b"w").await.unwrap(), 3);
        assert_eq!(client.min("n", 3).await.unwrap(), Number::Int(3));
        let brief = client.with_ttl(Duration::from_secs(1));
        assert_eq!(brief.max("n", 0.5).await.unwrap(), Number::Int(4));
        let sum = client.increment_within("n", -1, Bounds::at_least(0)).await.unwrap();
        assert_eq!(sum, Ok(Number::Int(2)));
        let sum = client.increment_clamped("n", 1, Bounds::at_most(9)).await.unwrap();
        assert_eq!(sum, Number::Int(9));
        assert_eq!(client.swap::<i64, _>("a", "new").await.unwrap(), Some(5));
        assert_eq!(client.take_value("a").await.unwrap(), Some(Value::Int(5)));
        assert_eq!(client.take::<String>("a").await.unwrap(), None);
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn out_of_bounds_is_an_answer() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let current = Number::Int(2);
    let request = "add -3 within 0..10 from 0 to n";
    let serving = answer(&mut peer, request, modified(Outcome::OutOfBounds(current)));
    let asking = client.increment_within("n", -3, Bounds::between(0, 10));
    let (sum, ()) = tokio::join!(asking, serving);
    let stays = sum.unwrap().unwrap_err();
    assert_eq!(stays, OutOfBounds { current });
    assert_eq!(stays.to_string(), "the sum would be out of bounds: the variable stays 2");
}

#[tokio::test]
async fn an_outcome_of_another_modification_is_not_believed() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        answer(&mut peer, "append x to a", modified(Outcome::Values(vec![]))).await;
        answer(&mut peer, "min 1 of a", modified(Outcome::Length(1))).await;
        answer(&mut peer, "take a", modified(Outcome::Number(Number::Int(1)))).await;
        let two = Outcome::Values(vec![ValueRef::Int(1); 2]);
        answer(&mut peer, "take a", modified(two)).await;
        let beyond = Outcome::OutOfBounds(Number::Int(1));
        answer(&mut peer, "add 1 clamped within .. from 0 to a", modified(beyond)).await;
        answer(&mut peer, "delete a if 3", modified(Outcome::Length(1))).await;
    };
    let asking = async {
        for error in [
            client.append("a", "x").await.unwrap_err(),
            client.min("a", 1).await.unwrap_err(),
            client.take_value("a").await.unwrap_err(),
            client.take_value("a").await.unwrap_err(),
            client.increment_clamped("a", 1, Bounds::default()).await.unwrap_err(),
            client.delete_at("a", 3).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        }
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn a_deletion_may_expect_what_was_read() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        answer(&mut peer, "delete a if 7", Reply::Deleted { existed: true }).await;
        answer(&mut peer, "delete a if 7", conflict(9)).await;
        answer(&mut peer, "delete a if value old", conflict(0)).await;
        answer(&mut peer, "delete a if value old", Reply::Deleted { existed: true }).await;
        answer(&mut peer, "delete a", conflict(3)).await;
    };
    let deleting = async {
        let old = Value::text("old");
        assert_eq!(client.delete_at("a", 7).await.unwrap(), Ok(()));
        let current = Some(9);
        assert_eq!(client.delete_at("a", 7).await.unwrap(), Err(Conflict { current }));
        let gone = Err(Conflict { current: None });
        assert_eq!(client.delete_value("a", &old).await.unwrap(), gone);
        assert_eq!(client.delete_value("a", &old).await.unwrap(), Ok(()));
        let error = client.delete("a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "it expected nothing");
    };
    tokio::join!(deleting, serving);
}

#[tokio::test]
async fn modifications_are_steps_of_a_batch() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let steps = "batch [append x to a, prepend y to a for 1000 ms, min 1 of n for 1000 ms, \
                 max 2 of n for 1000 ms, add -1 within 0.. from 0 to n for 1000 ms, \
                 add 5 clamped within ..9 from 0 to n for 1000 ms]";
    let results = vec![
        StepResult::Length(1),
        StepResult::Length(2),
        StepResult::Incremented(Number::Int(1)),
        StepResult::Incremented(Number::Int(2)),
        StepResult::Incremented(Number::Int(1)),
        StepResult::Incremented(Number::Int(6)),
    ];
    let batch = || {
        client
            .batch()
            .append("a", "x")
            .with_expiry(workyard_globaldata::Expiry::After(Duration::from_secs(1)))
            .prepend("a", "y")
            .min("n", 1)
            .max("n", 2)
            .increment_within("n", -1, Bounds::at_least(0))
            .increment_clamped("n", 5, Bounds::at_most(9))
    };
    let reply = BatchReply::Applied { revision: 3, results: results.clone() };
    let serving = async {
        answer(&mut peer, steps, Reply::Batch(reply)).await;
        let refusal = Refusal::new(Reason::OutOfBounds, "key \"n\" is 0");
        let id = hear(&mut peer, steps).await;
        peer.reply(id, Reply::Batch(BatchReply::Refused { step: 4, refusal })).await;
    };
    let committing = async {
        let outcome = batch().commit().await.unwrap();
        assert_eq!(outcome, BatchOutcome::Applied { revision: 3, results });
        let error = batch().commit().await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::OutOfBounds)));
    };
    tokio::join!(committing, serving);
}

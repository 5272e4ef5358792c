//! Several steps at once.

use crate::dialogue::{answer, connected};
use crate::support::FakeServer;
use workyard_globaldata::{
    BatchOutcome, Conflict, ErrorKind, Number, Reason, Refusal, StepResult, Value,
};
use workyard_protocol::globaldata::{BatchReply, Reply};
use workyard_protocol::limits::LIST_ITEMS_MAX;

#[tokio::test]
async fn steps_travel_in_order_and_tell_what_they_did() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let results = vec![
        StepResult::Held,
        StepResult::Held,
        StepResult::Held,
        StepResult::Stored,
        StepResult::Incremented(Number::Int(1)),
        StepResult::Incremented(Number::Float(0.5)),
        StepResult::Deleted(true),
    ];
    let reply = BatchReply::Applied { revision: 9, results: results.clone() };
    let serving = answer(
        &mut peer,
        "batch [require a if 4, require b if absent, require c if value x, set a: text, \
         increment d by 1 from 0, increment e by 0.5, delete f]",
        Reply::Batch(reply),
    );
    let committing = client
        .batch()
        .require_revision("a", 4)
        .require_absent("b")
        .require_value("c", &Value::text("x"))
        .set("a", "text")
        .increment("d", 1)
        .increment_existing("e", 0.5)
        .delete("f")
        .commit();
    let (outcome, ()) = tokio::join!(committing, serving);
    assert_eq!(outcome.unwrap(), BatchOutcome::Applied { revision: 9, results });
}

#[tokio::test]
async fn a_requirement_that_does_not_hold_is_an_outcome() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let reply = Reply::Batch(BatchReply::Conflict { step: 1, current: 5 });
    let serving = answer(&mut peer, "batch [set a: 1, require b if 4]", reply);
    let committing = client.batch().set("a", &1).require_revision("b", 4).commit();
    let (outcome, ()) = tokio::join!(committing, serving);
    let conflict = Conflict { current: Some(5) };
    assert_eq!(outcome.unwrap(), BatchOutcome::Conflict { step: 1, conflict });
}

#[tokio::test]
async fn a_step_that_cannot_be_carried_out_is_an_error() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let refusal = Refusal::new(Reason::NotANumber, "a is text");
    let reply = Reply::Batch(BatchReply::Refused { step: 0, refusal });
    let serving = answer(&mut peer, "batch [increment a by 1 from 0]", reply);
    let (failed, ()) = tokio::join!(client.batch().increment("a", 1).commit(), serving);
    let error = failed.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::NotANumber)));
    assert!(error.to_string().starts_with("step 0 of the batch"), "{error}");
}

#[tokio::test]
async fn the_first_bad_step_is_told_and_nothing_is_sent() {
    let server = FakeServer::bind().await;
    let (client, _peer) = connected(&server).await;
    let long = "k".repeat(5000);
    let error = client.batch().set("a", &1).delete(&long).commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    let all = (0..=LIST_ITEMS_MAX).fold(client.batch(), |batch, _| batch.delete("a"));
    assert_eq!(all.commit().await.unwrap_err().kind(), ErrorKind::InvalidArgument);
    let long = "k".repeat(4000);
    let all = (0..300).fold(client.batch(), |batch, _| batch.delete(&long));
    assert_eq!(all.commit().await.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

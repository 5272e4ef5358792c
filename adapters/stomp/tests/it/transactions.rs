//! Transactions: all or nothing.

use crate::broker::{drained, is_quiet, next, opened, relayed, texts};
use std::time::Duration;
use workyard_stomp::{Ack, ErrorKind, Stomp, Subscribe};
use workyard_testbed::eventually;

async fn left(stomp: &Stomp) -> Vec<String> {
    drained(stomp, "/queue/a").await.into_keys().collect()
}

#[tokio::test]
async fn what_is_committed_happens_and_nothing_else() {
    let stomp = opened("").await;
    let (kept, aborted, dropped) = tokio::join!(stomp.begin(), stomp.begin(), stomp.begin());
    let (kept, aborted, dropped) = (kept.unwrap(), aborted.unwrap(), dropped.unwrap());
    for number in 0..3 {
        kept.send("/queue/a", format!("kept {number}"), ()).await.unwrap();
        aborted.send("/queue/a", "aborted", ()).await.unwrap();
        dropped.send("/queue/a", "dropped", ()).await.unwrap();
    }
    stomp.send("/queue/b", "before the commit", ()).await.unwrap();
    assert!(left(&stomp).await.is_empty());
    kept.commit().await.unwrap();
    aborted.abort().await.unwrap();
    drop(dropped);
    assert_eq!(left(&stomp).await, ["kept 0", "kept 1", "kept 2"]);
    assert_eq!(stomp.stats().lost, 0);
}

#[tokio::test]
async fn acknowledgements_are_part_of_it() {
    let stomp = opened("").await;
    for number in 0..3 {
        stomp.send("/queue/a", number.to_string(), ()).await.unwrap();
    }
    let wish = Subscribe::to("/queue/a").ack(Ack::ClientIndividual);
    let mut queue = stomp.subscribe(wish).await.unwrap();
    let (first, second) = (next(&mut queue).await, next(&mut queue).await);

    let transaction = stomp.begin().await.unwrap();
    transaction.ack(&first).await.unwrap();
    transaction.send("/queue/b", "done", ()).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(first.ack().await.unwrap_err().kind(), ErrorKind::InvalidRequest);

    let transaction = stomp.begin().await.unwrap();
    transaction.ack(&second).await.unwrap();
    assert_eq!(second.ack().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    transaction.abort().await.unwrap();
    // It was not acknowledged after all.
    second.ack().await.unwrap();

    drop(queue);
    assert_eq!(left(&stomp).await, ["2"]);
    assert_eq!(drained(&stomp, "/queue/b").await["done"], 1);
    assert_eq!(stomp.stats().lost, 0);
}

#[tokio::test]
async fn a_transaction_ends_with_its_connection() {
    let (relay, stomp, _) = relayed("").await;
    let (first, second, third) =
        (stomp.begin().await.unwrap(), stomp.begin().await.unwrap(), stomp.begin().await.unwrap());
    first.send("/queue/a", "x", ()).await.unwrap();
    third.send("/queue/a", "y", ()).await.unwrap();
    relay.cut();
    eventually("it is connected again", async || stomp.stats().connected == 2).await;
    for error in [
        first.send("/queue/a", "x", ()).await.unwrap_err(),
        first.commit().await.unwrap_err(),
        second.abort().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, false));
        assert!(error.to_string().contains("ended with the connection"), "{error}");
    }
    drop(third);
    assert!(left(&stomp).await.is_empty());
    // Neither the drop nor the rest has disturbed the new connection.
    assert_eq!(stomp.stats().connected, 2);
}

#[tokio::test]
async fn a_commit_without_an_answer_has_an_unknown_outcome() {
    let (relay, stomp, other) = relayed("").await;
    let transaction = stomp.begin().await.unwrap();
    transaction.send("/queue/a", "x", ()).await.unwrap();
    relay.cut_answer_to("COMMIT");
    let error = transaction.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    // The receipt comes before the messages are where they should be.
    let mut queue = other.subscribe("/queue/a").await.unwrap();
    assert_eq!(texts(&mut queue, 1).await, ["x"]);
    assert!(is_quiet(&mut queue).await);
}

#[tokio::test]
async fn what_is_given_up_on_the_way_is_aborted() {
    let stomp = opened("").await;
    stomp.ready().await.unwrap();
    for micros in 0..200 {
        let transfer = async {
            let transaction = stomp.begin().await?;
            transaction.send("/queue/a", "part", ()).await?;
            transaction.send("/queue/a", "part", ()).await?;
            std::future::pending::<()>().await;
            transaction.commit().await
        };
        let given_up = tokio::time::timeout(Duration::from_micros(micros * 20), transfer).await;
        assert!(given_up.is_err());
    }
    assert!(left(&stomp).await.is_empty());
    assert_eq!(stomp.stats().lost, 0);
}

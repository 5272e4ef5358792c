//! Lifetimes: what travels with each write, and what is asked of them.

use crate::dialogue::{answer, conflict, connected, stored};
use crate::support::FakeServer;
use std::time::Duration;
use workyard_globaldata::{BatchOutcome, ErrorKind, Expiry, Number, StepResult, TimeLeft, Value};
use workyard_protocol::ValueRef;
use workyard_protocol::globaldata::{BatchReply, Entry, Existence, Reply};

const SECOND: Duration = Duration::from_secs(1);

fn existence(ttl_ms: Option<u64>) -> Reply<'static> {
    Reply::Existence(Some(Existence { revision: 3, ttl_ms }))
}

fn sum(value: i64) -> Reply<'static> {
    Reply::Incremented { revision: 1, value: Number::Int(value) }
}

#[tokio::test]
async fn a_handle_with_a_ttl_says_it_with_every_write() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (old, new) = (Value::text("old"), Value::text("new"));
    let serving = async {
        answer(&mut peer, "write a for 1000 ms: 1", stored(1)).await;
        answer(&mut peer, "write a if absent for 1000 ms: 1", conflict(1)).await;
        answer(&mut peer, "write a if 1 for 1000 ms: 2", stored(2)).await;
        answer(&mut peer, "write a if value old for 1000 ms: new", stored(3)).await;
        answer(&mut peer, "increment n by 1 from 0 for 1000 ms", sum(1)).await;
        answer(&mut peer, "increment n by 1 from 0 for 1 ms if new", sum(2)).await;
        answer(&mut peer, "increment n by 1 for ever", sum(3)).await;
        answer(&mut peer, "write a for as long as it had: 3", stored(4)).await;
        answer(&mut peer, "write a: 4", stored(5)).await;
    };
    let writing = async {
        let brief = client.with_ttl(SECOND);
        brief.set("a", &1).await.unwrap();
        assert!(!brief.add("a", &1).await.unwrap());
        assert_eq!(brief.cas("a", 1, &2).await.unwrap(), Ok(2));
        assert_eq!(brief.cas_value("a", &old, &new).await.unwrap(), Ok(3));
        brief.increment("n", 1).await.unwrap();
        let begun = Expiry::AfterIfNew(Duration::from_nanos(1));
        client.with_expiry(begun).increment("n", 1).await.unwrap();
        client.with_expiry(Expiry::Never).increment_existing("n", 1).await.unwrap();
        brief.with_expiry(Expiry::Keep).set("a", &3).await.unwrap();
        client.set("a", &4).await.unwrap();
    };
    tokio::join!(writing, serving);
}

#[tokio::test]
async fn an_update_keeps_the_lifetime_unless_it_is_told() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let got = || {
        let entry = Entry { revision: 4, ttl_ms: Some(1500), value: ValueRef::Int(1) };
        Reply::Got(Some(entry))
    };
    let serving = async {
        answer(&mut peer, "get a", got()).await;
        answer(&mut peer, "write a if 4 for as long as it had: 2", stored(5)).await;
        answer(&mut peer, "get a", got()).await;
        answer(&mut peer, "write a if 4 for 1000 ms: 2", stored(5)).await;
        answer(&mut peer, "get a", got()).await;
    };
    let plus_one = |count: Option<i64>| count.unwrap_or(0) + 1;
    let updating = async {
        client.update("a", plus_one).await.unwrap();
        client.with_ttl(SECOND).update("a", plus_one).await.unwrap();
        let entry = client.entry("a").await.unwrap().unwrap();
        assert_eq!(entry.ttl, Some(Duration::from_millis(1500)));
    };
    tokio::join!(updating, serving);
}

#[tokio::test]
async fn a_lifetime_is_changed_ended_and_asked_for() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        answer(&mut peer, "touch a for 1000 ms", existence(Some(1000))).await;
        answer(&mut peer, "touch a for 1000 ms", Reply::Existence(None)).await;
        answer(&mut peer, "persist a", existence(None)).await;
        answer(&mut peer, "persist a", Reply::Existence(None)).await;
        answer(&mut peer, "exists a", existence(Some(999))).await;
        answer(&mut peer, "exists a", existence(None)).await;
        answer(&mut peer, "exists a", Reply::Existence(None)).await;
    };
    let asking = async {
        assert!(client.touch("a", SECOND).await.unwrap());
        assert!(!client.touch("a", SECOND).await.unwrap());
        assert!(client.persist("a").await.unwrap());
        assert!(!client.persist("a").await.unwrap());
        let left = Duration::from_millis(999);
        assert_eq!(client.ttl("a").await.unwrap(), TimeLeft::Left(left));
        assert_eq!(client.ttl("a").await.unwrap(), TimeLeft::Forever);
        assert_eq!(client.ttl("a").await.unwrap(), TimeLeft::Missing);
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn steps_of_a_batch_say_what_the_handle_or_the_batch_says() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let results = vec![StepResult::Stored; 4];
    let reply = BatchReply::Applied { revision: 9, results: results.clone() };
    let serving = answer(
        &mut peer,
        "batch [set a for 1000 ms: 1, increment n by 1 from 0 for 2000 ms if new, \
         set b: 1, increment m by 1 for ever]",
        Reply::Batch(reply),
    );
    let brief = client.with_ttl(SECOND);
    let committing = brief
        .batch()
        .set("a", &1)
        .with_expiry(Expiry::AfterIfNew(SECOND * 2))
        .increment("n", 1)
        .with_expiry(Expiry::Never)
        .set_value("b", &Value::Int(1))
        .increment_existing("m", 1)
        .commit();
    let (outcome, ()) = tokio::join!(committing, serving);
    assert_eq!(outcome.unwrap(), BatchOutcome::Applied { revision: 9, results });
}

#[tokio::test]
async fn a_time_that_nothing_can_live_is_refused_here() {
    let server = FakeServer::bind().await;
    let (client, _peer) = connected(&server).await;
    for wrong in [Duration::ZERO, Duration::MAX] {
        let handle = client.with_ttl(wrong);
        for error in [
            handle.set("a", &1).await.unwrap_err(),
            handle.increment("a", 1).await.unwrap_err(),
            handle.batch().set("a", &1).commit().await.unwrap_err(),
            client.touch("a", wrong).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(
                error.to_string().contains("is not in 1 to 315360000000, ten years"),
                "{error}"
            );
        }
    }
}

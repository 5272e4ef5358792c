//! Lists, sets and maps that many clients change at once: nothing is lost, nothing is handed out twice.

use crate::support::{client, clients, daemon, tasks};
use std::collections::BTreeSet;
use workyard_globaldata::{BatchOutcome, ErrorKind, Number, Reason, Value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_push_many_pop_exactly_once() {
    const CLIENTS: usize = 8;
    const EACH: usize = 100;
    let daemon = daemon();
    let pushing =
        clients(&daemon, CLIENTS).await.into_iter().enumerate().map(|(index, client)| async move {
            for number in 0..EACH {
                client.list("work").push_back(&(index * EACH + number)).await.unwrap();
            }
        });
    let popping = clients(&daemon, CLIENTS).await.into_iter().map(|client| async move {
        let mut popped = Vec::new();
        while popped.len() < EACH {
            popped.extend(client.list("work").pop_front::<usize>().await.unwrap());
        }
        popped
    });
    let (_, popped) = tokio::join!(tasks(pushing), tasks(popping));
    let all = popped.concat();
    let different: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!(all.len(), CLIENTS * EACH);
    assert!(different.into_iter().eq(0..CLIENTS * EACH), "each item once");
    assert!(!client(&daemon).await.exists("work").await.unwrap(), "what is empty is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_add_an_item_one_is_first() {
    let daemon = daemon();
    let adding = clients(&daemon, 16).await.into_iter().map(|client| async move {
        let mut first = 0;
        for item in 0..50 {
            first += usize::from(client.set_of("seen").add(&item).await.unwrap());
            client.map("counts").increment(format!("{}", item % 5), 1).await.unwrap();
        }
        first
    });
    let first: usize = tasks(adding).await.into_iter().sum();
    assert_eq!(first, 50);
    let client = client(&daemon).await;
    assert_eq!(client.set_of("seen").items::<usize>().await.unwrap(), Vec::from_iter(0..50));
    let counts = client.map("counts").entries::<u64>().await.unwrap();
    let counts: Vec<_> = counts.iter().map(|(name, count)| (&name[..], *count)).collect();
    let each = [&b"0"[..], b"1", b"2", b"3", b"4"].map(|name| (name, 160));
    assert_eq!(counts, each);
}

#[tokio::test]
async fn a_list_keeps_the_latest() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let recent = client.list("recent").keep(3);
    for number in 0..10 {
        assert_eq!(recent.push_front(&number).await.unwrap(), 3.min(number + 1));
    }
    assert_eq!(recent.range::<u64>(0, 9).await.unwrap(), [9, 8, 7]);
    assert_eq!(recent.range::<u64>(-1, 9).await.unwrap(), [7]);
    assert_eq!(client.get::<Vec<u64>>("recent").await.unwrap(), Some(vec![9, 8, 7]));
    let outcome = client.batch().push_back("recent", &1).map_set("user", "n", &2).commit().await;
    assert!(matches!(outcome.unwrap(), BatchOutcome::Applied { .. }));
    assert_eq!(recent.len().await.unwrap(), 4);
    assert_eq!(client.map("user").increment("n", 0.5).await.unwrap(), Number::Float(2.5));
}

#[tokio::test]
async fn another_kind_of_value_is_refused_by_name() {
    let daemon = daemon();
    let client = client(&daemon).await;
    client.set("json", &[1, 2]).await.unwrap();
    for error in [
        client.list("json").push_back(&3).await.unwrap_err(),
        client.set_of("json").add(&3).await.unwrap_err(),
        client.map("json").len().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::WrongKind)));
        assert!(error.to_string().contains("key \"json\" is bincode of 2 bytes"), "{error}");
    }
    let list = client.list("list");
    list.push_back("x").await.unwrap();
    let whole = client.entry("list").await.unwrap().unwrap().value;
    assert!(client.cas_value("list", &whole, &Value::Int(1)).await.unwrap().is_ok());
}

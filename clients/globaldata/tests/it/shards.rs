//! Several servers: each key on its own, and what concerns them all.

use crate::dialogue::{answer, got, hear, stored};
use crate::listing::page;
use crate::support::{FakeServer, Peer};
use std::time::Duration;
use workyard_globaldata::{ErrorKind, GlobalDataClient, Placement};
use workyard_protocol::ValueRef;
use workyard_protocol::globaldata::{Entry, Reply, Request};

async fn connected(placement: Placement) -> (GlobalDataClient, Vec<Peer>) {
    let servers = [FakeServer::bind().await, FakeServer::bind().await, FakeServer::bind().await];
    let builder = GlobalDataClient::sharded(servers.iter().map(FakeServer::address));
    let (client, one, two, three) = tokio::join!(
        builder.placement(placement).connect(),
        servers[0].welcome(),
        servers[1].welcome(),
        servers[2].welcome()
    );
    (client.unwrap(), vec![one, two, three])
}

/// Keys that the original would look for on these servers of three.
const KEYS: [(&str, usize); 4] = [("key", 1), ("0", 2), ("ABC", 0), ("key1", 1)];

#[tokio::test]
async fn every_key_has_its_server() {
    let (client, mut peers) = connected(Placement::Crc32).await;
    for (number, (key, shard)) in KEYS.into_iter().enumerate() {
        assert_eq!(client.shard_of(key), shard, "{key}");
        let heard = format!("write {key}: {number}");
        let serving = answer(&mut peers[shard], &heard, stored(1));
        let (written, ()) = tokio::join!(client.set(key, &number), serving);
        written.unwrap();
    }
}

#[tokio::test]
async fn many_keys_are_read_from_all_servers_and_come_back_in_order() {
    let (client, mut peers) = connected(Placement::Crc32).await;
    let [one, two, three] = &mut peers[..] else { panic!("three servers") };
    let entry = |number| Some(Entry { revision: 1, ttl_ms: None, value: ValueRef::Int(number) });
    let serving = async {
        // All are asked before any has answered.
        let last = hear(three, r#"get ["0"]"#).await;
        let middle = hear(two, r#"get ["key", "key1"]"#).await;
        let first = hear(one, r#"get ["ABC"]"#).await;
        two.reply(middle, Reply::GotMany(vec![entry(0), entry(3)])).await;
        three.reply(last, Reply::GotMany(vec![None])).await;
        one.reply(first, Reply::GotMany(vec![entry(2)])).await;
    };
    let reading = client.get_many::<i64, _>(KEYS.map(|(key, _)| key));
    let (values, ()) = tokio::join!(reading, serving);
    assert_eq!(values.unwrap(), [Some(0), None, Some(2), Some(3)]);
}

#[tokio::test]
async fn keys_are_listed_from_all_servers() {
    let (client, mut peers) = connected(Placement::default()).await;
    let listing = async {
        let mut names = Vec::new();
        let mut keys = client.keys("");
        while let Some(info) = keys.next().await.transpose().unwrap() {
            names.push(info.key_str().into_owned());
        }
        names.sort_unstable();
        names
    };
    let [one, two, three] = &mut peers[..] else { panic!("three servers") };
    let serving = async {
        tokio::join!(
            async {
                answer(one, r#"keys "" 0 1000"#, page(5, &["a"])).await;
                answer(one, r#"keys "" 5 1000"#, page(0, &["b"])).await;
            },
            answer(two, r#"keys "" 0 1000"#, page(0, &[])),
            answer(three, r#"keys "" 0 1000"#, page(0, &["c"])),
        )
    };
    let (names, _) = tokio::join!(listing, serving);
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_batch_lies_on_one_server() {
    let (client, mut peers) = connected(Placement::Crc32).await;
    let error = client.batch().set("key", &1).delete("ABC").commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CrossShard);
    let text = r#""key" and "ABC" lie on different servers: a batch takes place on one"#;
    assert_eq!(error.to_string(), text);
    let serving = async {
        let frame = peers[1].next().await.unwrap();
        let (id, Request::Batch(batch)) = frame.request() else { panic!("{frame:?}") };
        assert_eq!(batch.steps.len(), 2);
        peers[1].refuse(id, workyard_protocol::Reason::LimitReached).await;
    };
    let (refused, ()) =
        tokio::join!(client.batch().set("key", &1).delete("key1").commit(), serving);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn pings_and_the_end_concern_all_servers() {
    let (client, peers) = connected(Placement::default()).await;
    let serving = peers.into_iter().map(|mut peer| async move { peer.next().await.is_none() });
    let ending = async {
        client.ping().await.unwrap();
        assert_eq!(client.servers().into_iter().flatten().count(), 3);
        client.close(Duration::from_secs(5)).await.unwrap();
        assert_eq!(client.exists("a").await.unwrap_err().kind(), ErrorKind::Closed);
    };
    let (ended, ()) = tokio::join!(futures_util::future::join_all(serving), ending);
    assert_eq!(ended, [true, true, true]);
}

#[tokio::test]
async fn one_lost_server_does_not_harm_the_others() {
    let (client, mut peers) = connected(Placement::Crc32).await;
    let client = client.with_call_timeout(Duration::from_millis(50));
    drop(peers.remove(0));
    let (read, ()) = tokio::join!(
        client.get::<i64>("key"),
        answer(&mut peers[0], "get key", got(1, ValueRef::Int(5)))
    );
    assert_eq!(read.unwrap(), Some(5));
    assert!(client.get::<i64>("ABC").await.is_err());
}

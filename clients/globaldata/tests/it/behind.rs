//! Watchers, waits and caches on connections that are slow, silent or gone: what they may not claim to know.

use crate::cached::read_once;
use crate::dialogue::{answer, connected, connected_as, got, hasty, hear, proof};
use crate::support::{FakeServer, Peer};
use crate::watch::{from, set, tells, tells_nothing};
use std::time::{Duration, Instant};
use workyard_globaldata::{ErrorKind, GlobalDataClient, Waited, Watcher};
use workyard_protocol::globaldata::{Change, Entry, Push, Reply};
use workyard_protocol::{Key, ValueRef};

fn reached(watch: Option<u32>, revision: u64, live: bool) -> Push<'static> {
    Push::Reached { watch, revision, live }
}

fn text(watch: Option<u32>, revision: u64, text: &str) -> Push<'_> {
    let change = Change::Set { ttl_ms: None, value: Some(ValueRef::raw(text)) };
    Push::Changed { watch, key: Key::new("a").unwrap(), revision, more: false, change }
}

async fn impatient(server: &FakeServer, call_timeout: Duration) -> (GlobalDataClient, Peer) {
    let builder = GlobalDataClient::builder(server.address());
    connected_as(server, builder.call_timeout(call_timeout)).await
}

async fn from_now(client: &GlobalDataClient, peer: &mut Peer, number: u32, since: u64) -> Watcher {
    let name = format!("k{number}");
    let asked = format!("watch {number} {name}");
    let watching = client.watch(&name).from_now().into_future();
    let (watcher, ()) = tokio::join!(watching, answer(peer, &asked, from(since)));
    let mut watcher = watcher.unwrap();
    tells(&mut watcher, &["caught up"]).await;
    watcher
}

#[tokio::test]
async fn nothing_is_read_locally_while_the_server_has_more_to_tell() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = read_once(&client, &mut peer).await;
    // An own write is answered before the push of it.
    peer.push(reached(None, 10, false)).await;
    proof(&mut peer).await;
    let (value, ()) = tokio::join!(cached.get::<i64>("a"), async {
        answer(&mut peer, "get a", got(11, ValueRef::Int(8))).await;
    });
    assert_eq!(value.unwrap(), Some(8));
    peer.push(set(None, "a", 11)).await;
    peer.push(reached(None, 11, true)).await;
    proof(&mut peer).await;
    assert_eq!(cached.entry("a").await.unwrap().unwrap().revision, 11);
    proof(&mut peer).await;
}

#[tokio::test]
async fn nobody_has_caught_up_while_the_server_has_more_to_tell() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (waited, ()) =
        tokio::join!(client.wait_until_changed("a", Some(5), Duration::from_secs(9)), async {
            answer(&mut peer, "watch 1 a", from(10)).await;
            // It was stored again, which is to be told.
            peer.push(reached(None, 11, false)).await;
            answer(&mut peer, "get a", got(12, ValueRef::Int(1))).await;
            proof(&mut peer).await;
            peer.push(set(None, "a", 12)).await;
        });
    let Waited::Changed(Some(entry)) = waited.unwrap() else { panic!("it was not deleted") };
    assert_eq!(entry.revision, 12);
}

#[tokio::test]
async fn what_a_page_leaves_out_is_waited_for() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let watching = client.watch("a").into_future();
    let (watcher, ()) = tokio::join!(watching, answer(&mut peer, "watch 1 a", from(10)));
    let mut watcher = watcher.unwrap();
    answer(&mut peer, "get a", got(12, ValueRef::Int(1))).await;
    tells_nothing(&mut watcher, &mut peer).await;
    peer.push(set(None, "a", 12)).await;
    tells(&mut watcher, &["a=1@12", "caught up"]).await;
}

#[tokio::test]
async fn half_a_batch_waits_for_its_other_half_however_slow() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let watching = client.watch_prefix("u").from_now().into_future();
    let (watcher, ()) = tokio::join!(watching, answer(&mut peer, "watch 1 u…", from(10)));
    let mut watcher = watcher.unwrap();
    tells(&mut watcher, &["caught up"]).await;
    let part = |name| {
        let change = Change::Set { ttl_ms: None, value: Some(ValueRef::Int(1)) };
        Push::Changed {
            watch: None,
            key: Key::new(name).unwrap(),
            revision: 11,
            more: true,
            change,
        }
    };
    peer.push(part("u1")).await;
    peer.push(reached(None, 10, false)).await;
    tells_nothing(&mut watcher, &mut peer).await;
    peer.push(part("u2")).await;
    peer.push(reached(None, 11, false)).await;
    tells(&mut watcher, &["u1=1@11", "u2=1@11"]).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:11");
}

#[tokio::test]
async fn what_does_not_fit_is_asked_for_when_it_does() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = read_once(&client, &mut peer).await;
    // Half of the buffer is free, but that is too little.
    let (one, other) = ("x".repeat(30_000), "y".repeat(40_000));
    peer.push(text(None, 11, &one)).await;
    peer.push(text(None, 12, &other)).await;
    answer(&mut peer, "unwatch a", Reply::Unwatched { count: 1 }).await;
    proof(&mut peer).await;
    let (value, ()) = tokio::join!(cached.get::<String>("a"), async {
        // Whichever is first.
        for _ in 0..2 {
            let frame = peer.next().await.unwrap();
            let (id, request) = frame.request::<workyard_protocol::globaldata::Request<'_>>();
            match request {
                workyard_protocol::globaldata::Request::Get(_) => {
                    peer.reply(id, got(12, ValueRef::raw(&other))).await;
                }
                _ => peer.reply(id, from(12)).await,
            }
        }
    });
    assert_eq!(value.unwrap(), Some(other));
}

#[tokio::test]
async fn all_who_are_live_go_on_by_one_request() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let mut all = Vec::new();
    for number in 1..=4 {
        all.push(from_now(&client, &mut peer, number, 10 + u64::from(number)).await);
    }
    drop(peer);
    let mut peer = server.welcome().await;
    answer(&mut peer, "watch 5 k1 k2 k3 k4 after 14", from(20)).await;
    peer.push(reached(Some(5), 20, true)).await;
    peer.push(set(None, "k1", 21)).await;
    tells(&mut all[0], &["k1=1@21"]).await;
}

#[tokio::test]
async fn a_position_never_goes_back() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let watcher = from_now(&client, &mut peer, 1, 10).await;
    peer.push(reached(None, 1000, true)).await;
    proof(&mut peer).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:1000");
    drop(peer);
    let mut peer = server.welcome().await;
    let watch = hear(&mut peer, "watch 2 k1 after 1000").await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:1000");
    peer.reply(watch, from(1010)).await;
    peer.push(reached(Some(2), 1010, true)).await;
    proof(&mut peer).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:1010");
}

#[tokio::test]
async fn cached_reads_of_a_silent_server_end_in_time_all_of_them() {
    let server = FakeServer::bind().await;
    let call_timeout = Duration::from_millis(200);
    let (client, mut peer) = impatient(&server, call_timeout).await;
    let cached = client.cached();
    let began = Instant::now();
    let reads: Vec<_> = (0..10)
        .map(|_| {
            let cached = cached.clone();
            tokio::spawn(async move { cached.get::<i64>("a").await })
        })
        .collect();
    // The watch begins, and then nothing more is said.
    answer(&mut peer, "watch 1 a", from(10)).await;
    for read in reads {
        assert_eq!(read.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
    }
    assert!(began.elapsed() < 3 * call_timeout, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_wait_does_not_wait_longer_than_it_was_told() {
    let server = FakeServer::bind().await;
    let (client, _peer) = impatient(&server, Duration::from_secs(5)).await;
    let waited = client.wait_until_changed("a", None, Duration::from_millis(20));
    let waited = tokio::time::timeout(Duration::from_secs(2), waited).await;
    assert_eq!(waited.unwrap().unwrap(), Waited::TimedOut);
}

#[tokio::test]
async fn a_variable_that_was_touched_is_read_locally_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = client.cached();
    let living = |ttl_ms| {
        Reply::Got(Some(Entry { revision: 5, ttl_ms: Some(ttl_ms), value: ValueRef::Int(7) }))
    };
    let (entry, ()) = tokio::join!(cached.entry("a"), async {
        answer(&mut peer, "watch 1 a", from(10)).await;
        answer(&mut peer, "get a", living(20)).await;
    });
    assert!(entry.unwrap().is_some());
    tokio::time::sleep(Duration::from_millis(21)).await;
    let (entry, ()) = tokio::join!(cached.entry("a"), answer(&mut peer, "get a", living(60_000)));
    assert!(entry.unwrap().is_some());
    let ttl = cached.entry("a").await.unwrap().unwrap().ttl.unwrap();
    assert!(ttl > Duration::from_secs(50), "{ttl:?}");
    proof(&mut peer).await;
}

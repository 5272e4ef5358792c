//! Watchers: what they are told, and that nothing of it is lost or doubled, whatever happens meanwhile.

use crate::dialogue::{answer, connected, got, hasty, hear, proof};
use crate::support::{FakeServer, Peer, a_welcome};
use std::time::Duration;
use tokio::time::timeout;
use workyard_globaldata::{
    ErrorKind, Event, GlobalDataClient, Reason, WatchEvent, Watcher, Watching,
};
use workyard_protocol::control::Welcome;
use workyard_protocol::globaldata::{
    Change, Entry, Existence, KeyInfo, Push, Reply, Watching as Reply0,
};
use workyard_protocol::{Key, ValueRef, ValueTag};

pub(crate) fn from(revision: u64) -> Reply<'static> {
    Reply::Watching(Reply0::From(revision))
}

fn compacted(revision: u64) -> Reply<'static> {
    Reply::Watching(Reply0::Compacted(revision))
}

fn key(key: &str) -> Key<'_> {
    Key::new(key).unwrap()
}

fn page(cursor: u64, entries: &[(&'static str, u64)]) -> Reply<'static> {
    let entry = |&(name, revision)| {
        let value = ValueRef::Int(1);
        (key(name), Entry { revision, ttl_ms: None, value })
    };
    Reply::Entries { cursor, entries: entries.iter().map(entry).collect() }
}

/// A change to 1, live or told again.
pub(crate) fn set(watch: Option<u32>, name: &str, revision: u64) -> Push<'_> {
    let change = Change::Set { ttl_ms: None, value: Some(ValueRef::Int(1)) };
    Push::Changed { watch, key: key(name), revision, more: false, change }
}

fn part(name: &str, revision: u64) -> Push<'_> {
    let change = Change::Set { ttl_ms: None, value: Some(ValueRef::Int(1)) };
    Push::Changed { watch: None, key: key(name), revision, more: true, change }
}

fn gone<'a>(name: &'a str, revision: u64, change: Change<'a>) -> Push<'a> {
    Push::Changed { watch: None, key: key(name), revision, more: false, change }
}

fn reached(watch: Option<u32>, revision: u64) -> Push<'static> {
    Push::Reached { watch, revision, live: true }
}

/// Each in its words.
fn words(event: &WatchEvent) -> String {
    match event {
        WatchEvent::Stored { key, revision, value, .. } => {
            let value = value.as_ref().map_or("?".to_owned(), ToString::to_string);
            format!("{}={value}@{revision}", String::from_utf8_lossy(key))
        }
        WatchEvent::Deleted { key, revision } => {
            format!("{} deleted@{revision}", String::from_utf8_lossy(key))
        }
        WatchEvent::Expired { key, revision } => {
            format!("{} expired@{revision}", String::from_utf8_lossy(key))
        }
        WatchEvent::CaughtUp => "caught up".to_owned(),
        WatchEvent::Restarted { shard } => format!("restarted {shard}"),
        _ => unreachable!(),
    }
}

pub(crate) async fn tells(watcher: &mut Watcher, expected: &[&str]) {
    for expected in expected {
        let event = timeout(Duration::from_secs(5), watcher.next()).await;
        let event = event.unwrap_or_else(|_| panic!("{expected} is not told"));
        assert_eq!(event.as_ref().map(words).as_deref(), Some(*expected));
    }
}

/// The client has read what was sent before, and told nothing.
pub(crate) async fn tells_nothing(watcher: &mut Watcher, peer: &mut Peer) {
    proof(peer).await;
    if let Ok(event) = timeout(Duration::from_millis(5), watcher.next()).await {
        panic!("{event:?} is told");
    }
}

async fn begun(watching: Watching<'_>, peer: &mut Peer, asked: &str, reply: Reply<'_>) -> Watcher {
    let (watcher, ()) = tokio::join!(watching.into_future(), answer(peer, asked, reply));
    watcher.unwrap()
}

/// Watches all that begins with "u" from revision 10 on, of which there is nothing.
async fn of_prefix(client: &GlobalDataClient, peer: &mut Peer) -> Watcher {
    let mut watcher = begun(client.watch_prefix("u"), peer, "watch 1 u…", from(10)).await;
    answer(peer, "entries \"u\" 0 1000", page(0, &[])).await;
    tells(&mut watcher, &["caught up"]).await;
    watcher
}

#[tokio::test]
async fn a_variable_is_told_as_it_stands_and_then_every_change() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut watcher = begun(client.watch("a"), &mut peer, "watch 1 a", from(10)).await;
    assert_eq!(watcher.position(), None, "nothing is known yet");
    answer(&mut peer, "get a", got(5, ValueRef::Int(7))).await;
    tells(&mut watcher, &["a=7@5", "caught up"]).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:10");
    peer.push(set(None, "a", 11)).await;
    peer.push(gone("a", 12, Change::Deleted)).await;
    peer.push(gone("a", 13, Change::Expired)).await;
    tells(&mut watcher, &["a=1@11", "a deleted@12", "a expired@13"]).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:13");
    peer.push(reached(None, 20)).await;
    tells_nothing(&mut watcher, &mut peer).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:20", "time goes on");
}

#[tokio::test]
async fn what_changes_while_the_state_is_read_is_told_once() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut watcher = begun(client.watch_prefix("u"), &mut peer, "watch 1 u…", from(10)).await;
    let asked = hear(&mut peer, "entries \"u\" 0 1000").await;
    peer.push(set(None, "u1", 11)).await;
    // One that the session was too slow to be told before it asked.
    peer.push(set(None, "u2", 9)).await;
    peer.reply(asked, page(3, &[("u1", 11), ("u2", 9)])).await;
    answer(&mut peer, "entries \"u\" 3 1000", page(0, &[("u3", 2)])).await;
    tells(&mut watcher, &["u1=1@11", "u2=1@9", "u3=1@2", "caught up"]).await;
    tells_nothing(&mut watcher, &mut peer).await;
}

#[tokio::test]
async fn without_values_neither_state_nor_changes_bring_them() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let watching = client.watch_prefix("u").without_values();
    let mut watcher = begun(watching, &mut peer, "watch 1 u… without values", from(10)).await;
    let info = KeyInfo { key: key("u1"), revision: 4, tag: ValueTag::Int, size: 3, ttl_ms: None };
    answer(&mut peer, "keys \"u\" 0 1000", Reply::Keys { cursor: 0, keys: vec![info] }).await;
    tells(&mut watcher, &["u1=?@4", "caught up"]).await;
    let watching = client.watch("u1").without_values();
    let mut one = begun(watching, &mut peer, "watch 2 u1 without values", from(10)).await;
    let existence = Existence { revision: 4, ttl_ms: None };
    answer(&mut peer, "exists u1", Reply::Existence(Some(existence))).await;
    tells(&mut one, &["u1=?@4", "caught up"]).await;
    // Somebody else on the connection may want values.
    peer.push(set(None, "u1", 11)).await;
    tells(&mut one, &["u1=?@11"]).await;
    tells(&mut watcher, &["u1=?@11"]).await;
}

#[tokio::test]
async fn a_batch_is_told_when_it_is_whole() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let mut watcher = of_prefix(&client, &mut peer).await;
    peer.push(part("u1", 11)).await;
    peer.push(part("u2", 11)).await;
    tells_nothing(&mut watcher, &mut peer).await;
    peer.push(reached(None, 11)).await;
    tells(&mut watcher, &["u1=1@11", "u2=1@11"]).await;
    // Half of one comes, and then all of it.
    peer.push(part("u1", 12)).await;
    tells_nothing(&mut watcher, &mut peer).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:11");
    drop(peer);
    let mut peer = server.welcome().await;
    answer(&mut peer, "watch 2 u… after 11", from(12)).await;
    peer.push(set(Some(2), "u1", 12)).await;
    peer.push(reached(Some(2), 12)).await;
    tells(&mut watcher, &["u1=1@12"]).await;
    tells_nothing(&mut watcher, &mut peer).await;
}

#[tokio::test]
async fn after_a_lost_connection_everybody_goes_on_where_he_was() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let mut all = of_prefix(&client, &mut peer).await;
    let watching = client.watch("u1").from_now();
    let mut one = begun(watching, &mut peer, "watch 2 u1", from(12)).await;
    let watching = client.watch("u2").from_now().without_values();
    let mut other = begun(watching, &mut peer, "watch 3 u2 without values", from(14)).await;
    tells(&mut one, &["caught up"]).await;
    tells(&mut other, &["caught up"]).await;
    peer.push(set(None, "u1", 15)).await;
    tells(&mut all, &["u1=1@15"]).await;
    tells(&mut one, &["u1=1@15"]).await;
    drop(peer);
    let mut peer = server.welcome().await;
    // All of them were told everything up to there.
    answer(&mut peer, "watch 4 u2 without values after 15", from(17)).await;
    answer(&mut peer, "watch 5 u1 u… after 15", from(17)).await;
    peer.push(set(Some(5), "u1", 16)).await;
    peer.push(set(Some(5), "u9", 17)).await;
    peer.push(reached(Some(5), 17)).await;
    tells(&mut one, &["u1=1@16"]).await;
    tells(&mut all, &["u1=1@16", "u9=1@17"]).await;
    tells_nothing(&mut other, &mut peer).await;
    assert_eq!(other.position().unwrap().to_string(), "0:7:15", "it is told again still");
    peer.push(reached(Some(4), 17)).await;
    peer.push(set(None, "u2", 18)).await;
    tells(&mut other, &["u2=?@18"]).await;
    tells(&mut all, &["u2=1@18"]).await;
    tells_nothing(&mut one, &mut peer).await;
    assert_eq!(one.position().unwrap().to_string(), "0:7:18");
}

#[tokio::test]
async fn a_lost_connection_while_the_state_is_read_repeats_nothing() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let mut watcher = begun(client.watch_prefix("u"), &mut peer, "watch 1 u…", from(10)).await;
    answer(&mut peer, "entries \"u\" 0 1000", page(3, &[("u1", 1)])).await;
    hear(&mut peer, "entries \"u\" 3 1000").await;
    peer.push(set(None, "u2", 11)).await;
    tells(&mut watcher, &["u1=1@1", "u2=1@11"]).await;
    drop(peer);
    let mut peer = server.welcome().await;
    answer(&mut peer, "watch 2 u… after 11", from(12)).await;
    answer(&mut peer, "entries \"u\" 3 1000", page(0, &[("u3", 2), ("u4", 12)])).await;
    tells(&mut watcher, &["u3=1@2"]).await;
    tells_nothing(&mut watcher, &mut peer).await;
    peer.push(set(Some(2), "u4", 12)).await;
    peer.push(reached(Some(2), 12)).await;
    tells(&mut watcher, &["u4=1@12", "caught up"]).await;
}

#[tokio::test]
async fn another_run_of_the_server_begins_anew() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let mut watcher = of_prefix(&client, &mut peer).await;
    drop(peer);
    let mut peer = server.welcome_as(Welcome { epoch: 8, ..a_welcome() }).await;
    answer(&mut peer, "watch 2 u…", from(3)).await;
    tells(&mut watcher, &["restarted 0"]).await;
    assert_eq!(watcher.position(), None);
    answer(&mut peer, "entries \"u\" 0 1000", page(0, &[("u1", 2)])).await;
    tells(&mut watcher, &["u1=1@2", "caught up"]).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:8:3");
}

#[tokio::test]
async fn what_is_known_no_more_begins_anew() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let mut watcher = of_prefix(&client, &mut peer).await;
    let mut now = begun(client.watch("k").from_now(), &mut peer, "watch 2 k", from(10)).await;
    tells(&mut now, &["caught up"]).await;
    peer.push(Push::Compacted { watch: None, oldest: 40 }).await;
    answer(&mut peer, "watch 3 k u…", from(50)).await;
    answer(&mut peer, "entries \"u\" 0 1000", page(0, &[("u1", 2)])).await;
    tells(&mut watcher, &["restarted 0", "u1=1@2", "caught up"]).await;
    tells(&mut now, &["restarted 0", "caught up"]).await;
    drop(peer);
    // At once, and in the middle of being told again.
    let mut peer = server.welcome().await;
    answer(&mut peer, "watch 4 k u… after 50", compacted(60)).await;
    answer(&mut peer, "watch 5 k u…", from(60)).await;
    answer(&mut peer, "entries \"u\" 0 1000", page(0, &[])).await;
    tells(&mut watcher, &["restarted 0", "caught up"]).await;
    tells(&mut now, &["restarted 0", "caught up"]).await;
    drop(peer);
    let mut peer = server.welcome().await;
    answer(&mut peer, "watch 6 k u… after 60", from(70)).await;
    peer.push(set(Some(6), "u1", 61)).await;
    peer.push(Push::Compacted { watch: Some(6), oldest: 65 }).await;
    tells(&mut watcher, &["u1=1@61", "restarted 0"]).await;
    answer(&mut peer, "watch 7 k u…", from(70)).await;
    answer(&mut peer, "entries \"u\" 0 1000", page(0, &[])).await;
    tells(&mut watcher, &["caught up"]).await;
}

#[tokio::test]
async fn a_full_buffer_costs_nothing_but_time() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let watching = client.watch("a").from_now().buffer(2, 1 << 20);
    let mut slow = begun(watching, &mut peer, "watch 1 a", from(10)).await;
    let mut fast = begun(client.watch("a").from_now(), &mut peer, "watch 2 a", from(10)).await;
    for revision in 11..=13 {
        peer.push(set(None, "a", revision)).await;
    }
    tells(&mut fast, &["caught up", "a=1@11", "a=1@12", "a=1@13"]).await;
    tells(&mut slow, &["caught up"]).await;
    // Half of its buffer is free, and it goes on behind what is in there.
    answer(&mut peer, "watch 3 a after 11", from(13)).await;
    peer.push(set(Some(3), "a", 12)).await;
    peer.push(set(Some(3), "a", 13)).await;
    // That is one too many again.
    peer.push(reached(Some(3), 13)).await;
    proof(&mut peer).await;
    tells(&mut slow, &["a=1@11"]).await;
    answer(&mut peer, "watch 4 a after 12", from(13)).await;
    tells(&mut slow, &["a=1@12"]).await;
    peer.push(set(Some(4), "a", 13)).await;
    peer.push(reached(Some(4), 13)).await;
    tells(&mut slow, &["a=1@13"]).await;
    drop(fast);
    for revision in 14..=16 {
        peer.push(set(None, "a", revision)).await;
    }
    // Nobody wants it meanwhile.
    answer(&mut peer, "unwatch a", Reply::Unwatched { count: 1 }).await;
    tells(&mut slow, &["a=1@14"]).await;
    answer(&mut peer, "watch 5 a after 15", from(16)).await;
    peer.push(set(Some(5), "a", 16)).await;
    peer.push(reached(Some(5), 16)).await;
    tells(&mut slow, &["a=1@15", "a=1@16"]).await;
    tells_nothing(&mut slow, &mut peer).await;
}

#[tokio::test]
async fn pages_are_asked_for_as_fast_as_they_are_taken() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let watching = client.watch_prefix("u").buffer(2, 1 << 20);
    let mut watcher = begun(watching, &mut peer, "watch 1 u…", from(10)).await;
    answer(&mut peer, "entries \"u\" 0 2", page(5, &[("u1", 1), ("u2", 2)])).await;
    proof(&mut peer).await;
    tells(&mut watcher, &["u1=1@1"]).await;
    answer(&mut peer, "entries \"u\" 5 2", page(0, &[("u3", 3)])).await;
    tells(&mut watcher, &["u2=1@2", "u3=1@3", "caught up"]).await;
}

#[tokio::test]
async fn who_is_dropped_is_told_no_more() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let one = begun(client.watch("a").from_now(), &mut peer, "watch 1 a", from(10)).await;
    let other = begun(client.watch("a").from_now(), &mut peer, "watch 2 a", from(10)).await;
    drop(one);
    proof(&mut peer).await;
    drop(other);
    answer(&mut peer, "unwatch a", Reply::Unwatched { count: 1 }).await;
    // One that was never waited for to the end.
    let mut watching = Box::pin(client.watch("a").into_future());
    let id = tokio::select! {
        _ = &mut watching => panic!("it is not answered"),
        id = hear(&mut peer, "watch 3 a") => id,
    };
    drop(watching);
    peer.reply(id, from(10)).await;
    let frame = peer.next().await.unwrap();
    let (_, request) = frame.request::<workyard_protocol::globaldata::Request<'_>>();
    assert!(matches!(request, workyard_protocol::globaldata::Request::Unwatch(_)), "{request:?}");
}

#[tokio::test]
async fn what_the_server_does_not_want_is_an_error_or_an_end() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let (refused, ()) = tokio::join!(client.watch("a").into_future(), async {
        let id = hear(&mut peer, "watch 1 a").await;
        peer.refuse(id, Reason::LimitReached).await;
    });
    assert_eq!(refused.unwrap_err().reason(), Some(Reason::LimitReached));
    hear(&mut peer, "unwatch a").await;
    let mut one = begun(client.watch("a").from_now(), &mut peer, "watch 2 a", from(10)).await;
    let mut other = begun(client.watch("b").from_now(), &mut peer, "watch 3 b", from(10)).await;
    let mut events = client.events();
    drop(peer);
    let mut peer = server.welcome().await;
    let id = hear(&mut peer, "watch 4 a b after 10").await;
    peer.refuse(id, Reason::LimitReached).await;
    let id = hear(&mut peer, "watch 5 a after 10").await;
    peer.refuse(id, Reason::LimitReached).await;
    answer(&mut peer, "watch 6 b after 10", from(10)).await;
    peer.push(reached(Some(6), 10)).await;
    peer.push(set(None, "b", 11)).await;
    tells(&mut other, &["caught up", "b=1@11"]).await;
    tells(&mut one, &["caught up"]).await;
    assert_eq!(one.next().await, None);
    let name = loop {
        if let Event::RestoreRefused { name, .. } = events.next().await.unwrap() {
            break name;
        }
    };
    assert_eq!(name, "a");
}

#[tokio::test]
async fn a_watch_goes_on_where_another_one_was() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let watching = client.watch("a").after("0:7:5".parse().unwrap());
    let mut watcher = begun(watching, &mut peer, "watch 1 a after 5", from(9)).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:5");
    peer.push(set(Some(1), "a", 8)).await;
    tells(&mut watcher, &["a=1@8"]).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:8");
    peer.push(reached(Some(1), 9)).await;
    tells(&mut watcher, &["caught up"]).await;
    // One of another run of the server.
    let watching = client.watch("b").after("0:6:5".parse().unwrap());
    let mut watcher = begun(watching, &mut peer, "watch 2 b", from(9)).await;
    answer(&mut peer, "get b", Reply::Got(None)).await;
    tells(&mut watcher, &["restarted 0", "caught up"]).await;
    let error = client.watch("c").after("1:7:5".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = client.watch([b'k'; 5000]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
}

#[tokio::test]
async fn several_servers_have_caught_up_when_the_last_of_them_has() {
    let (one, other) = (FakeServer::bind().await, FakeServer::bind().await);
    let builder = GlobalDataClient::sharded([one.address(), other.address()]);
    let (client, mut one, mut other) =
        tokio::join!(builder.connect(), one.welcome(), other.welcome());
    let client = client.unwrap();
    let (watcher, (), ()) = tokio::join!(
        client.watch_prefix("").into_future(),
        answer(&mut one, "watch 1 …", from(10)),
        answer(&mut other, "watch 1 …", from(20)),
    );
    let mut watcher = watcher.unwrap();
    answer(&mut one, "entries \"\" 0 1000", page(0, &[("a", 1)])).await;
    tells(&mut watcher, &["a=1@1"]).await;
    tells_nothing(&mut watcher, &mut one).await;
    assert_eq!(watcher.position(), None);
    answer(&mut other, "entries \"\" 0 1000", page(0, &[("b", 2)])).await;
    tells(&mut watcher, &["b=1@2", "caught up"]).await;
    assert_eq!(watcher.position().unwrap().to_string(), "0:7:10,1:7:20");
    other.push(Push::Compacted { watch: None, oldest: 40 }).await;
    tells(&mut watcher, &["restarted 1"]).await;
}

//! Waits and caches: both rest on watches.

use crate::dialogue::{answer, connected, got, hasty, hear, proof};
use crate::support::{FakeServer, Peer};
use crate::watch::{from, set};
use std::time::Duration;
use workyard_globaldata::{CachedClient, GlobalDataClient, Reason, Waited};
use workyard_protocol::globaldata::{Change, Entry, Push, Reply};
use workyard_protocol::{Key, ValueRef};

const MINUTE: Duration = Duration::from_secs(60);

async fn unwatched(peer: &mut Peer) {
    answer(peer, "unwatch a", Reply::Unwatched { count: 1 }).await;
}

fn deleted(name: &str, revision: u64) -> Push<'_> {
    let key = Key::new(name).unwrap();
    Push::Changed { watch: None, key, revision, more: false, change: Change::Deleted }
}

fn revision(waited: Waited) -> Option<u64> {
    match waited {
        Waited::Changed(entry) => entry.map(|entry| entry.revision),
        Waited::TimedOut => panic!("it took too long"),
    }
}

#[tokio::test]
async fn a_wait_ends_at_once_when_it_is_another_revision_already() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    for (number, known, reply, now) in [
        (1, Some(4), got(5, ValueRef::Int(1)), Some(5)),
        (2, None, got(5, ValueRef::Int(1)), Some(5)),
        (3, Some(4), Reply::Got(None), None),
    ] {
        let (waited, ()) = tokio::join!(client.wait_until_changed("a", known, MINUTE), async {
            answer(&mut peer, &format!("watch {number} a"), from(10)).await;
            answer(&mut peer, "get a", reply).await;
        });
        assert_eq!(revision(waited.unwrap()), now);
        unwatched(&mut peer).await;
    }
}

#[tokio::test]
async fn a_wait_ends_with_the_first_change() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let five = || got(5, ValueRef::Int(1));
    for (number, known, state, push, now) in [
        (1, Some(5), five(), set(None, "a", 11), Some(11)),
        (2, Some(5), five(), deleted("a", 12), None),
        (3, None, Reply::Got(None), set(None, "a", 13), Some(13)),
    ] {
        let (waited, ()) = tokio::join!(client.wait_until_changed("a", known, MINUTE), async {
            answer(&mut peer, &format!("watch {number} a"), from(10)).await;
            answer(&mut peer, "get a", state).await;
            proof(&mut peer).await;
            peer.push(push).await;
        });
        assert_eq!(revision(waited.unwrap()), now);
        unwatched(&mut peer).await;
    }
}

#[tokio::test]
async fn a_wait_for_nothing_is_over_in_time_and_leaves_nothing() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let time = Duration::from_millis(20);
    let (waited, ()) = tokio::join!(client.wait_until_changed("a", None, time), async {
        answer(&mut peer, "watch 1 a", from(10)).await;
        answer(&mut peer, "get a", Reply::Got(None)).await;
    });
    assert_eq!(waited.unwrap(), Waited::TimedOut);
    unwatched(&mut peer).await;
}

/// A cache that has read "a", which is of revision 5.
pub(crate) async fn read_once(client: &GlobalDataClient, peer: &mut Peer) -> CachedClient {
    let cached = client.cached();
    let (value, ()) = tokio::join!(cached.get::<i64>("a"), async {
        answer(peer, "watch 1 a", from(10)).await;
        answer(peer, "get a", got(5, ValueRef::Int(7))).await;
    });
    assert_eq!(value.unwrap(), Some(7));
    cached
}

#[tokio::test]
async fn what_was_read_once_is_read_locally_until_it_changes() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = read_once(&client, &mut peer).await;
    for _ in 0..10 {
        assert_eq!(cached.clone().get::<i64>("a").await.unwrap(), Some(7));
    }
    assert_eq!((cached.stats().hits, cached.stats().misses, cached.stats().variables), (10, 1, 1));
    peer.push(set(None, "a", 11)).await;
    proof(&mut peer).await;
    assert_eq!(cached.entry("a").await.unwrap().unwrap().revision, 11);
    peer.push(deleted("a", 12)).await;
    proof(&mut peer).await;
    assert_eq!(cached.entry("a").await.unwrap(), None);
    proof(&mut peer).await;
    drop(cached);
    unwatched(&mut peer).await;
}

#[tokio::test]
async fn whoever_reads_at_the_same_time_asks_once() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = client.cached();
    let (one, other, ()) = tokio::join!(cached.get::<i64>("a"), cached.get::<i64>("a"), async {
        answer(&mut peer, "watch 1 a", from(10)).await;
        answer(&mut peer, "get a", got(5, ValueRef::Int(7))).await;
    });
    assert_eq!((one.unwrap(), other.unwrap()), (Some(7), Some(7)));
    proof(&mut peer).await;
}

#[tokio::test]
async fn nothing_is_read_locally_before_what_was_missed_is_known() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let cached = read_once(&client, &mut peer).await;
    drop(peer);
    let mut peer = server.welcome().await;
    let watch = hear(&mut peer, "watch 2 a after 10").await;
    // It was changed meanwhile, but the cache cannot know that.
    let (value, ()) = tokio::join!(cached.get::<i64>("a"), async {
        answer(&mut peer, "get a", got(12, ValueRef::Int(8))).await;
    });
    assert_eq!(value.unwrap(), Some(8));
    peer.reply(watch, from(12)).await;
    let (value, ()) = tokio::join!(cached.get::<i64>("a"), async {
        answer(&mut peer, "get a", got(12, ValueRef::Int(8))).await;
    });
    assert_eq!(value.unwrap(), Some(8));
    peer.push(set(Some(2), "a", 12)).await;
    peer.push(Push::Reached { watch: Some(2), revision: 12, live: true }).await;
    proof(&mut peer).await;
    assert_eq!(cached.entry("a").await.unwrap().unwrap().revision, 12);
    proof(&mut peer).await;
}

#[tokio::test]
async fn nothing_is_read_locally_after_its_time() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = client.cached();
    let for_a_while = |ttl_ms| {
        let value = ValueRef::Int(7);
        Reply::Got(Some(Entry { revision: 5, ttl_ms: Some(ttl_ms), value }))
    };
    let (entry, ()) = tokio::join!(cached.entry("a"), async {
        answer(&mut peer, "watch 1 a", from(10)).await;
        answer(&mut peer, "get a", for_a_while(30)).await;
    });
    assert!(entry.unwrap().unwrap().ttl.unwrap() <= Duration::from_millis(30));
    tokio::time::sleep(Duration::from_millis(31)).await;
    let (entry, ()) = tokio::join!(cached.entry("a"), answer(&mut peer, "get a", Reply::Got(None)));
    assert_eq!(entry.unwrap(), None);
}

#[tokio::test]
async fn what_is_read_least_gives_way_and_what_is_too_large_is_not_kept() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = client.cached().bounded(1, 100);
    for (number, name, other) in [(1, "a", None), (2, "b", Some("a")), (3, "a", Some("b"))] {
        let (value, ()) = tokio::join!(cached.get::<i64>(name), async {
            if let Some(other) = other {
                answer(&mut peer, &format!("unwatch {other}"), Reply::Unwatched { count: 1 }).await;
            }
            answer(&mut peer, &format!("watch {number} {name}"), from(10)).await;
            answer(&mut peer, &format!("get {name}"), got(5, ValueRef::Int(7))).await;
        });
        assert_eq!((value.unwrap(), cached.stats().variables), (Some(7), 1));
    }
    let text = "x".repeat(101);
    let change = Change::Set { ttl_ms: None, value: Some(ValueRef::raw(&text)) };
    let key = Key::new("a").unwrap();
    peer.push(Push::Changed { watch: None, key, revision: 11, more: false, change }).await;
    proof(&mut peer).await;
    assert_eq!(cached.get::<String>("a").await.unwrap().as_ref(), Some(&text));
    unwatched(&mut peer).await;
    let large = || got(11, ValueRef::raw(&text));
    let (value, ()) = tokio::join!(cached.get::<String>("a"), answer(&mut peer, "get a", large()));
    assert_eq!(value.unwrap().as_ref(), Some(&text));
}

#[tokio::test]
async fn a_server_that_has_nothing_more_watched_is_asked_for_values() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let cached = client.cached();
    let (value, ()) = tokio::join!(cached.get::<i64>("a"), async {
        let id = hear(&mut peer, "watch 1 a").await;
        peer.refuse(id, Reason::LimitReached).await;
        unwatched(&mut peer).await;
        answer(&mut peer, "get a", got(5, ValueRef::Int(7))).await;
    });
    assert_eq!(value.unwrap(), Some(7));
    // For a while it is not asked again to have anything watched.
    let (value, ()) =
        tokio::join!(cached.get::<i64>("b"), answer(&mut peer, "get b", got(5, ValueRef::Int(8))));
    assert_eq!(value.unwrap(), Some(8));
    assert_eq!(cached.stats().variables, 0);
}

//! Watchers, waits and caches: nothing is lost or told twice, whatever becomes of the connections.

use crate::support::{client, daemon};
use std::collections::BTreeMap;
use std::time::Duration;
use workyard_globaldata::{GlobalDataClient, Value, Waited, WatchEvent, Watcher};
use workyard_tests::clients::{BACKOFF, until, within};
use workyard_tests::{Daemon, GlobalDataWire, Relay, Setup};

/// What a watcher has told so far, applied.
#[derive(Debug, Default)]
struct Seen {
    variables: BTreeMap<Vec<u8>, (u64, Option<Value>)>,
    /// Of changes after it had caught up.
    revisions: Vec<u64>,
    caught_up: bool,
    restarts: usize,
}

impl Seen {
    fn apply(&mut self, event: &WatchEvent) {
        if self.caught_up {
            self.revisions.extend(event.revision());
        }
        match event {
            WatchEvent::Stored { key, revision, value, .. } => {
                let before = self.variables.insert(key.to_vec(), (*revision, value.clone()));
                assert!(before.is_none_or(|(before, _)| before < *revision), "{event:?}");
            }
            WatchEvent::Deleted { key, .. } | WatchEvent::Expired { key, .. } => {
                drop(self.variables.remove(&key[..]));
            }
            WatchEvent::CaughtUp => self.caught_up = true,
            WatchEvent::Restarted { .. } => {
                *self = Self { restarts: self.restarts + 1, ..Self::default() };
            }
            other => panic!("{other:?} is new"),
        }
    }

    /// Goes on until it is known that a variable of this name is there.
    async fn up_to(&mut self, watcher: &mut Watcher, name: &str) {
        while !self.caught_up || !self.variables.contains_key(name.as_bytes()) {
            self.apply(&within(watcher.next()).await.unwrap());
        }
    }

    /// Compares it with what the server has.
    async fn check(&self, client: &GlobalDataClient, prefix: &str) {
        let mut keys = client.keys(prefix);
        let mut present = BTreeMap::new();
        while let Some(info) = keys.next().await.transpose().unwrap() {
            let value = client.entry(&info.key).await.unwrap().map(|entry| entry.value);
            present.insert(info.key.to_vec(), (info.revision, value));
        }
        assert_eq!(self.variables, present);
    }
}

async fn through(relay: &Relay) -> GlobalDataClient {
    let builder = GlobalDataClient::builder(relay.address()).backoff(BACKOFF);
    within(builder.connect()).await.unwrap()
}

/// Writes, deletions, batches and expiries of variables below `u.`, then `u.end`.
async fn write(writer: &GlobalDataClient, rounds: u64) {
    let short = writer.with_ttl(Duration::from_millis(1));
    for round in 0..rounds {
        let key = format!("u.{}", fastrand::u8(..20));
        match round % 5 {
            0 => drop(writer.set(&key, &round).await.unwrap()),
            1 => drop(writer.delete(&key).await.unwrap()),
            2 => drop(short.set(&key, "soon over").await.unwrap()),
            3 => drop(writer.set(&key, "x".repeat(300).as_str()).await.unwrap()),
            _ => {
                let batch = writer.batch().set("u.a", &round).set("u.b", &round);
                drop(batch.set("u.c", &round).commit().await.unwrap());
            }
        }
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    writer.set("u.end", &rounds).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_cuts_lose_no_change_and_double_none() {
    let daemon: Daemon<GlobalDataWire> = Setup::new().listen("127.0.0.1:0").start();
    let writer = client(&daemon).await;
    writer.set("u.before", &1).await.unwrap();
    let relay = Relay::to(&daemon).await;
    let watching = through(&relay).await;
    let mut all = within(watching.watch_prefix("u.").into_future()).await.unwrap();
    let mut one = within(watching.watch("u.a").into_future()).await.unwrap();
    let (mut seen, mut seen_one) = (Seen::default(), Seen::default());
    seen.apply(&within(all.next()).await.unwrap());
    seen.apply(&within(all.next()).await.unwrap());
    assert!(seen.caught_up);
    let first = all.position().unwrap().to_string();
    let writing = tokio::spawn({
        let writer = writer.clone();
        async move {
            for _ in 0..100 {
                write(&writer, 25).await;
                writer.delete("u.end").await.unwrap();
            }
            writer.set("u.over", &1).await.unwrap();
        }
    });
    let mut cuts = 0;
    while !seen.variables.contains_key(&b"u.over"[..]) {
        let event = within(all.next()).await.unwrap();
        seen.apply(&event);
        if matches!(&event, WatchEvent::Deleted { key, .. } if key == "u.end") {
            relay.cut();
            cuts += 1;
        }
    }
    writing.await.unwrap();
    assert_eq!((cuts, seen.restarts), (100, 0));
    // Each number is that of one change, or of one batch of three.
    let mut numbers = seen.revisions.clone();
    numbers.dedup();
    let first: u64 = first.rsplit(':').next().unwrap().parse().unwrap();
    let last = *numbers.last().unwrap();
    assert_eq!(numbers, Vec::from_iter(first + 1..=last));
    assert_eq!(seen.revisions.len() - numbers.len(), 100 * 5 * 2);
    seen.check(&writer, "u.").await;
    while seen_one.revisions.len() < 500 {
        seen_one.apply(&within(one.next()).await.unwrap());
    }
    assert!(seen_one.revisions.is_sorted_by(|one, next| one < next));
    seen_one.check(&writer, "u.a").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_too_slow_for_the_log_begins_anew_and_is_right_again() {
    let setup = Setup::new().listen("127.0.0.1:0").file("[limits]\nwatch_log_changes_max = 64\n");
    let daemon: Daemon<GlobalDataWire> = setup.start();
    let (writer, watching) = (client(&daemon).await, client(&daemon).await);
    let watching = watching.watch_prefix("u.").buffer(4, 1 << 20);
    let mut watcher = within(watching.into_future()).await.unwrap();
    let mut seen = Seen::default();
    for _ in 0..10 {
        write(&writer, 500).await;
        seen.up_to(&mut watcher, "u.end").await;
        seen.check(&writer, "u.").await;
        writer.delete("u.end").await.unwrap();
        while seen.variables.contains_key(&b"u.end"[..]) {
            seen.apply(&within(watcher.next()).await.unwrap());
        }
    }
    assert!(seen.restarts >= 10, "{}", seen.restarts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_server_watchers_begin_anew() {
    let mut daemon = daemon();
    let (writer, watching) = (client(&daemon).await, client(&daemon).await);
    writer.set("u.1", &1).await.unwrap();
    let mut watcher = within(watching.watch_prefix("u.").into_future()).await.unwrap();
    let mut seen = Seen::default();
    for restarts in 1..=3 {
        write(&writer, 20).await;
        seen.up_to(&mut watcher, "u.end").await;
        daemon.kill();
        daemon.start_again();
        while seen.restarts < restarts || !seen.caught_up {
            seen.apply(&within(watcher.next()).await.unwrap());
        }
        seen.check(&writer, "u.").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_leads_another_process_on() {
    let daemon = daemon();
    let (writer, one) = (client(&daemon).await, client(&daemon).await);
    let mut watcher = within(one.watch_prefix("u.").into_future()).await.unwrap();
    assert_eq!(within(watcher.next()).await, Some(WatchEvent::CaughtUp));
    let position = watcher.position().unwrap().to_string();
    drop((watcher, one));
    let revision = writer.set("u.1", &1).await.unwrap();
    // Of others, while nobody watches.
    writer.set("v.1", &1).await.unwrap();
    let other = client(&daemon).await;
    let watching = other.watch_prefix("u.").after(position.parse().unwrap());
    let mut watcher = within(watching.into_future()).await.unwrap();
    assert_eq!(within(watcher.next()).await.unwrap().revision(), Some(revision));
    assert_eq!(within(watcher.next()).await, Some(WatchEvent::CaughtUp));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_ends_when_another_client_writes_deletes_or_lets_expire() {
    let daemon = daemon();
    let (writer, waiting) = (client(&daemon).await, client(&daemon).await);
    let mut known = None;
    let minute = Duration::from_secs(60);
    for round in 0..4 {
        let (waited, ()) = tokio::join!(waiting.wait_until_changed("k", known, minute), async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            match round {
                1 => drop(writer.delete("k").await.unwrap()),
                2 => {
                    let short = writer.with_ttl(Duration::from_millis(30));
                    short.set("k", &round).await.unwrap();
                }
                // It expires.
                3 => {}
                _ => drop(writer.set("k", &round).await.unwrap()),
            }
        });
        let Waited::Changed(entry) = waited.unwrap() else { panic!("a minute is over") };
        assert_eq!(entry.is_some(), round % 2 == 0, "{round}");
        known = entry.map(|entry| entry.revision);
    }
    let waited = waiting.wait_until_changed("k", None, Duration::from_millis(30)).await;
    assert_eq!(waited.unwrap(), Waited::TimedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_returns_nothing_older_than_it_knows_of() {
    const ROUNDS: u64 = 3000;
    let daemon: Daemon<GlobalDataWire> = Setup::new().listen("127.0.0.1:0").start();
    let writer = client(&daemon).await;
    let relay = Relay::to(&daemon).await;
    let cached = through(&relay).await.cached();
    let writing = tokio::spawn({
        let writer = writer.clone();
        async move {
            for _ in 0..ROUNDS {
                writer.increment("theirs", 1).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let (mut theirs, mut own) = (0, 0);
    for round in 0..ROUNDS {
        // A read that a cut has cost says so.
        if let Ok(value) = cached.get::<u64>("theirs").await {
            let value = value.unwrap_or(0);
            assert!(value >= theirs, "{value} after {theirs}");
            theirs = value;
        }
        if round % 3 == 0 && cached.client().set("own", &round).await.is_ok() {
            own = round;
        }
        if let Ok(value) = cached.get::<u64>("own").await {
            // One whose outcome is not known may have been carried out, or be on its way.
            assert!(value.unwrap_or(0) >= own, "{value:?} after {own}");
        }
        if round % 100 == 50 {
            relay.cut();
        }
    }
    writing.await.unwrap();
    until("the last value", async || cached.get("theirs").await.ok() == Some(Some(ROUNDS))).await;
    let stats = cached.stats();
    assert!(stats.hits > ROUNDS / 2, "{stats:?}");
    assert_eq!(stats.variables, 2);
}

/// So large that its answer leaves a connection no room for changes.
const LARGE_BYTES: usize = 3 << 19;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_knows_own_writes_also_when_the_connection_is_full() {
    let daemon = daemon();
    let client = client(&daemon).await;
    client.set("large", &"x".repeat(LARGE_BYTES)).await.unwrap();
    let cached = client.cached();
    for round in 1..=60u64 {
        let (large, ()) = tokio::join!(client.entry("large"), async {
            client.set("own", &round).await.unwrap();
            assert_eq!(cached.get("own").await.unwrap(), Some(round));
        });
        large.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_of_a_deletion_that_never_was() {
    let daemon = daemon();
    let (writer, waiting) = (client(&daemon).await, client(&daemon).await);
    waiting.set("large", &"x".repeat(LARGE_BYTES)).await.unwrap();
    let mut known = writer.set("k", &0).await.unwrap();
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let waiting = waiting.clone();
        tasks.push(tokio::spawn(async move { while waiting.entry("large").await.is_ok() {} }));
    }
    tasks.push(tokio::spawn(async move { while writer.set("k", &1).await.is_ok() {} }));
    let minute = Duration::from_secs(60);
    for _ in 0..100 {
        let waited = waiting.wait_until_changed("k", Some(known), minute).await.unwrap();
        let Waited::Changed(Some(entry)) = waited else { panic!("{waited:?} after {known}") };
        assert!(entry.revision > known);
        known = entry.revision;
    }
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}

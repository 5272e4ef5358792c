//! Calls on variables.

use crate::polls::dropped_at_every_poll;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use workyard_globaldata::{
    BatchOutcome, GlobalDataClient, Number, TimeLeft, Value, Waited, WatchEvent,
};
use workyard_tests::clients::{address, within};
use workyard_tests::{Daemon, GlobalDataWire, Setup};

const DROPPED_MIN: usize = 5000;
const TASKS: usize = 4;
const CALLS: usize = 17;
/// Beyond this size, values wait for room of their own before they are sent.
const LARGE_BYTES: usize = 64 * 1024;
const MINUTE: Duration = Duration::from_secs(60);

/// So few names may be watched at once that none may stay behind which nobody watches.
const LIMITS: &str = "[limits]\nsession_watches_max = 24\n";

/// One of several tasks that share a client. What it asks for, nobody else has.
struct Asker {
    client: GlobalDataClient,
    task: usize,
    /// Increments that were begun, and those that came to their end.
    begun: AtomicI64,
    done: AtomicI64,
    /// How many names were watched that nobody else has.
    watched: AtomicUsize,
}

impl Asker {
    async fn new(client: &GlobalDataClient, task: usize) -> Self {
        for number in 0..5 {
            client.set(format!("{task}.{number}"), &(task * 100 + number)).await.unwrap();
        }
        let (begun, done) = (AtomicI64::new(0), AtomicI64::new(0));
        let watched = AtomicUsize::new(0);
        Self { client: client.clone(), task, begun, done, watched }
    }

    fn key(&self, name: impl std::fmt::Display) -> String {
        format!("{}.{name}", self.task)
    }

    fn fresh_key(&self) -> String {
        self.key(format!("fresh.{}", self.watched.fetch_add(1, Relaxed)))
    }

    fn value(&self, number: usize) -> usize {
        self.task * 100 + number
    }

    /// A call whose answer nobody else's would pass for.
    async fn call(&self, call: usize) {
        let client = &self.client;
        match call {
            0..5 => {
                let value = client.get::<usize>(self.key(call)).await.unwrap();
                assert_eq!(value, Some(self.value(call)));
            }
            5 => {
                let values = client.get_many::<usize, _>((0..5).map(|number| self.key(number)));
                let expected = (0..5).map(|number| Some(self.value(number)));
                assert_eq!(values.await.unwrap(), expected.collect::<Vec<_>>());
            }
            6 => {
                let large = vec![self.task as u8; LARGE_BYTES];
                let large = Value::raw(large);
                client.set_value(self.key("large"), &large).await.unwrap();
                let entry = client.entry(self.key("large")).await.unwrap().unwrap();
                assert_eq!(entry.value, large);
            }
            7 => {
                self.begun.fetch_add(1, Relaxed);
                let Number::Int(sum) = client.increment(self.key("count"), 1).await.unwrap() else {
                    panic!("integers make integers")
                };
                let done = self.done.fetch_add(1, Relaxed) + 1;
                assert!((done..=self.begun.load(Relaxed)).contains(&sum), "{sum}");
            }
            8 => assert!(client.cas(self.key(0), 1, "never").await.unwrap().is_err()),
            9 => assert!(!client.add(self.key(1), "never").await.unwrap()),
            10 => assert!(!client.delete(self.key("none")).await.unwrap()),
            11 => assert_eq!(client.ttl(self.key("none")).await.unwrap(), TimeLeft::Missing),
            12 => assert!(client.touch(self.key(4), Duration::from_secs(3600)).await.unwrap()),
            13 => {
                let batch = client.batch().require_absent(self.key(2)).delete(self.key(3));
                let outcome = batch.commit().await.unwrap();
                assert!(matches!(outcome, BatchOutcome::Conflict { step: 0, .. }), "{outcome:?}");
            }
            14 => {
                let mut watcher = client.watch(self.fresh_key()).await.unwrap();
                assert_eq!(watcher.next().await, Some(WatchEvent::CaughtUp));
            }
            15 => {
                let waited = client.wait_until_changed(self.fresh_key(), Some(1), MINUTE);
                assert_eq!(waited.await.unwrap(), Waited::Changed(None));
            }
            _ => {
                let cached = client.cached();
                assert_eq!(cached.get::<usize>(self.fresh_key()).await.unwrap(), None);
                let value = cached.get::<usize>(self.key(2)).await.unwrap();
                assert_eq!(value, Some(self.value(2)));
            }
        }
    }

    async fn run(self) -> usize {
        let mut dropped = 0;
        while dropped < DROPPED_MIN / TASKS {
            for call in 0..CALLS {
                dropped += dropped_at_every_poll(|| self.call(call)).await;
            }
        }
        let count = self.client.get::<i64>(self.key("count")).await.unwrap().unwrap();
        let (begun, done) = (self.begun.into_inner(), self.done.into_inner());
        assert!((done..=begun).contains(&count), "{count} of {done} to {begun} increments");
        dropped
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_on_variables_that_are_dropped_at_any_poll_mix_up_nothing() {
    let daemon: Daemon<GlobalDataWire> = Setup::new().file(LIMITS).start();
    // So few that callers wait for each other before they are sent.
    let client = GlobalDataClient::builder(address(&daemon)).commands_max(2).connect();
    let client = within(client).await.unwrap();
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        tasks.push(tokio::spawn(Asker::new(&client, task).await.run()));
    }
    let mut dropped = 0;
    for task in tasks {
        dropped += task.await.unwrap();
    }
    assert!(dropped >= DROPPED_MIN, "{dropped}");
    within(client.ping()).await.unwrap();
}

//! A program that shares variables with others, one step after the other.

use super::holder::Holder;
use super::observer::{Freshness, Observed, Observer, Topic};
use super::record::{Record, What, bytes, int};
use crate::program::choose;
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;
use workyard_globaldata::{Bounds, CachedClient, Error, Expiry, GlobalDataClient, Value};
use workyard_protocol::ValueRef;

/// Variables that are written as a whole, that are counted with, that grow.
const REGISTERS: [&str; 3] = ["r.1", "r.2", "r.3"];
const COUNTERS: [&str; 2] = ["n.1", "n.2"];
const TEXTS: [&str; 1] = ["t.1"];
/// One that is only written by those who hold a lock.
pub(crate) const FENCED: &str = "fenced";

pub(crate) struct Actor {
    world: Arc<World>,
    record: Arc<Mutex<Record>>,
    rng: Rng,
    client: GlobalDataClient,
    /// The revisions that it has read last.
    known: [u64; REGISTERS.len()],
    /// Those that hold locks or wait for them.
    holders: Vec<AbortHandle>,
    /// Those that watch, by their numbers.
    observers: Vec<(usize, AbortHandle)>,
    /// What some knew that watch no more: others go on where they were.
    left: Vec<Observed>,
    cached: CachedClient,
    freshness: Freshness,
}

impl Actor {
    pub(crate) fn new(world: Arc<World>, record: Arc<Mutex<Record>>, mut rng: Rng) -> Self {
        let client = client(&world, &mut rng);
        let cached = client.cached();
        Self {
            world,
            record,
            rng,
            client,
            known: [0; REGISTERS.len()],
            holders: Vec::new(),
            observers: Vec::new(),
            left: Vec::new(),
            cached,
            freshness: Freshness::default(),
        }
    }

    /// Goes on until no steps are left.
    pub(crate) async fn run(mut self) -> Self {
        while self.world.take_step(&mut self.rng).await {
            for _ in 0..self.rng.u8(1..4) {
                self.act().await;
            }
        }
        self.stop_holding();
        self
    }

    async fn act(&mut self) {
        match self.rng.u8(..100) {
            0..=3 => self.get().await,
            4..=9 => self.get_cached().await,
            10..=15 => self.watch().await,
            16..=18 => self.watch_no_more(),
            19..=24 => self.lock(),
            25..=39 => self.write().await,
            40..=49 => self.cas().await,
            50..=64 => self.increment().await,
            65..=70 => self.increment_within().await,
            71..=75 => self.delete().await,
            76..=80 => self.touch().await,
            81..=86 => self.append().await,
            87..=90 => self.exchange().await,
            91..=92 => self.leave(),
            _ => self.world.network.disturb(),
        }
    }

    /// Holds a lock for a while, beside everything else.
    fn lock(&mut self) {
        let holder = Holder {
            world: Arc::clone(&self.world),
            record: Arc::clone(&self.record),
            client: self.client.clone(),
            rng: self.rng.fork(),
        };
        self.holders.push(tokio::spawn(holder.run()).abort_handle());
    }

    async fn get(&mut self) {
        let (key, at) = match self.rng.u8(..3) {
            0 => (choose(&mut self.rng, &COUNTERS), None),
            1 => (choose(&mut self.rng, &TEXTS), None),
            _ => {
                let at = self.rng.usize(..REGISTERS.len());
                (REGISTERS[at], Some(at))
            }
        };
        let since = self.since();
        let got = self.client.entry(key).await;
        let found = got.map(|entry| entry.map(|one| (one.revision, bytes(one.value.as_ref()))));
        if let (Some(at), Ok(Some((revision, _)))) = (at, &found) {
            self.known[at] = *revision;
        }
        self.told("get", since, key, found.map(What::Got));
    }

    /// Reads what may come from the cache: it is no older than what was read or written before.
    async fn get_cached(&mut self) {
        let (at, key) = (self.rng.usize(..3), choose(&mut self.rng, &REGISTERS));
        let key = [key, COUNTERS[0], TEXTS[0]][at];
        let got = self.cached.entry(key).await;
        self.world.network.say(|| format!("cached {key}: {got:?}"));
        let Ok(entry) = got else { return };
        let found = entry.map(|one| (one.revision, bytes(one.value.as_ref())));
        let record = lock(&self.record);
        if let Err(text) = self.freshness.read(&record.truth, key, found) {
            record.findings.report(format!("cached: {text}"));
        }
    }

    async fn watch(&mut self) {
        let has_values = self.rng.u8(..3) > 0;
        let (topic, position, observed) = match self.left.pop() {
            Some(left) => left.resumed(has_values),
            None => {
                let topic = self.topic();
                (topic, None, Observed::new(topic, has_values))
            }
        };
        let mut watching = match topic {
            Topic::Key(key) => self.client.watch(key),
            Topic::Prefix(prefix) => self.client.watch_prefix(prefix),
        };
        if let Some(position) = &position {
            watching = watching.after(position.clone());
        }
        if !has_values {
            watching = watching.without_values();
        }
        let events_max = [1, 5, 10_000][self.rng.usize(..3)];
        let watched = watching.buffer(events_max, 1 << 20).await;
        self.world.network.say(|| {
            let error = watched.as_ref().err();
            format!("watch {topic:?} after {position:?}, values {has_values}: {error:?}")
        });
        let Ok(watcher) = watched else { return };
        let number = lock(&self.record).add_observer(observed);
        let pause = Duration::from_millis([0, 0, 1, 30, 100][self.rng.usize(..5)]);
        let (world, record) = (Arc::clone(&self.world), Arc::clone(&self.record));
        let observer = Observer { world, record, number, pause };
        let task = tokio::spawn(observer.run(watcher));
        self.observers.push((number, task.abort_handle()));
    }

    fn topic(&mut self) -> Topic {
        match self.rng.u8(..5) {
            0 => Topic::Prefix(""),
            1 => Topic::Prefix("r."),
            2 => Topic::Prefix("n."),
            3 => Topic::Key(COUNTERS[0]),
            _ => Topic::Key(choose(&mut self.rng, &REGISTERS)),
        }
    }

    fn watch_no_more(&mut self) {
        if let Some(at) = self.rng.choice(0..self.observers.len()) {
            let (number, observer) = self.observers.swap_remove(at);
            self.end(number, &observer);
        }
    }

    async fn write(&mut self) {
        let (key, value, client) =
            (choose(&mut self.rng, &REGISTERS), self.value(), self.with_expiry());
        let since = self.since();
        if self.rng.u8(..3) > 0 {
            let stored = client.set_value(key, &value).await;
            if let Ok(revision) = stored {
                self.freshness.wrote(&lock(&self.record).truth, key, revision);
            }
            return self.told("set", since, key, stored.map(What::Stored));
        }
        let added = client.add_value(key, &value).await;
        self.world.network.say(|| format!("add {key}: {added:?}"));
    }

    async fn cas(&mut self) {
        let at = self.rng.usize(..REGISTERS.len());
        let (key, value, client) = (REGISTERS[at], self.value(), self.with_expiry());
        let since = self.since();
        let ended = client.cas_to_value(key, self.known[at], &value).await;
        let what = ended.map(|ended| match ended {
            Ok(revision) => What::Stored(revision),
            Err(conflict) => What::Conflict(conflict.current.unwrap_or(0)),
        });
        self.told("cas", since, key, what);
    }

    async fn increment(&mut self) {
        let (key, client) = (choose(&mut self.rng, &COUNTERS), self.with_expiry());
        let by = self.rng.i64(-3..10);
        let since = self.since();
        let sum = client.increment(key, by).await;
        self.told("increment", since, key, sum.map(|sum| What::Number(int(sum))));
    }

    async fn increment_within(&mut self) {
        let key = choose(&mut self.rng, &COUNTERS);
        let (by, bounds) = (self.rng.i64(-5..6), Bounds::between(-10, 20));
        let since = self.since();
        let sum = self.client.increment_within(key, by, bounds).await;
        let what = sum.map(|sum| match sum {
            Ok(sum) => What::Number(int(sum)),
            Err(out) => What::OutOfBounds(int(out.current)),
        });
        self.told("increment within", since, key, what);
    }

    async fn delete(&mut self) {
        let key = match self.rng.bool() {
            true => choose(&mut self.rng, &REGISTERS),
            false => choose(&mut self.rng, &COUNTERS),
        };
        let since = self.since();
        let deleted = self.client.delete(key).await;
        if matches!(deleted, Ok(true)) {
            self.freshness.removed(&lock(&self.record).truth, key);
        }
        self.told("delete", since, key, deleted.map(What::Deleted));
    }

    async fn touch(&mut self) {
        let (key, ttl_ms) = (choose(&mut self.rng, &REGISTERS), self.rng.u64(1..2000));
        let since = self.since();
        let touched = match self.rng.u8(..3) {
            0 => self.client.persist(key).await,
            _ => self.client.touch(key, Duration::from_millis(ttl_ms)).await,
        };
        self.told("touch", since, key, touched.map(What::Touched));
    }

    async fn append(&mut self) {
        let (key, text) = (choose(&mut self.rng, &TEXTS), "x".repeat(self.rng.usize(1..20)));
        let since = self.since();
        let length = self.client.append(key, text).await;
        self.told("append", since, key, length.map(What::Length));
    }

    async fn exchange(&mut self) {
        let (key, value) = (choose(&mut self.rng, &REGISTERS), self.value());
        let since = self.since();
        let taken = match self.rng.bool() {
            true => self.client.swap_value(key, &value).await,
            false => self.client.take_value(key).await,
        };
        let taken = taken.map(|value| value.map(|value| bytes(value.as_ref())));
        self.told("exchange", since, key, taken.map(What::Taken));
    }

    /// The program ends with all that it holds, and begins anew.
    fn leave(&mut self) {
        self.stop_holding();
        self.stop();
        self.client = client(&self.world, &mut self.rng);
        self.cached = self.client.cached();
        if self.rng.bool() {
            self.cached = self.cached.bounded(2, 100);
        }
        self.freshness = Freshness::default();
    }

    /// Ends one that watches; another may go on where it was.
    fn end(&mut self, number: usize, observer: &AbortHandle) {
        observer.abort();
        let observed = lock(&self.record).observers.remove(&number);
        self.left.extend(observed.filter(Observed::has_position));
    }

    /// Stops those that watch.
    pub(crate) fn stop(&mut self) {
        for (number, observer) in std::mem::take(&mut self.observers) {
            self.end(number, &observer);
        }
    }

    fn stop_holding(&mut self) {
        self.holders.drain(..).for_each(|holder| holder.abort());
    }

    /// What is known for certain must have been said.
    fn told(&self, asked: &str, since: usize, key: &str, told: Result<What, Error>) {
        self.world.network.say(|| format!("{asked} {key}: {told:?}"));
        if let Ok(what) = told {
            lock(&self.record).check(since, key, what);
        }
    }

    fn since(&self) -> usize {
        lock(&self.record).len()
    }

    /// The client, with a lifetime for what it writes.
    fn with_expiry(&mut self) -> GlobalDataClient {
        let ttl = Duration::from_millis(self.rng.u64(1..3000));
        match self.rng.u8(..6) {
            0 => self.client.with_ttl(ttl),
            1 => self.client.with_expiry(Expiry::AfterIfNew(ttl)),
            2 => self.client.with_expiry(Expiry::Keep),
            _ => self.client.clone(),
        }
    }

    fn value(&mut self) -> Value {
        let mut bytes = lock(&self.record).next_value().to_be_bytes().to_vec();
        bytes.resize(bytes.len() + self.rng.usize(..200), b'.');
        ValueRef::raw(&bytes).to_value()
    }
}

/// Removes every variable that there can be.
pub(crate) async fn clean_up(client: &GlobalDataClient) -> Result<(), Error> {
    for key in REGISTERS.iter().chain(&COUNTERS).chain(&TEXTS).chain([&FENCED]) {
        client.delete(key).await?;
    }
    Ok(())
}

fn client(world: &Arc<World>, rng: &mut Rng) -> GlobalDataClient {
    GlobalDataClient::builder("sim:2207")
        .connector(world.connector())
        .connect_timeout(Duration::from_millis(rng.u64(500..5000)))
        .call_timeout(Duration::from_millis(rng.u64(20..4000)))
        .connect_lazy()
        .expect("the address is one")
}

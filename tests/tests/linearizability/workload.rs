//! Clients that call in quick succession on few variables, and what they saw of each.

use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use workyard_globaldata::{Bounds, Error, GlobalDataClient, Number, OutOfBounds, Value};
use workyard_tests::PATIENCE;
use workyard_tests::linearizability::{Action, Call, Clock, Outcome, check};

/// Variables that all callers share: few, so that they meet.
const KEYS: usize = 4;
/// Tasks that share one client, and with it a connection: their calls overtake each other.
pub(crate) const CALLERS_PER_CLIENT: usize = 4;
/// After so many calls, everybody waits for everybody. Between two such rounds nothing is going on, so
/// that what is wrong can be shown without all that was before, and calls without an answer are over.
const CALLS_PER_ROUND: usize = 16;

/// A history to be made.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) seed: u64,
    pub(crate) rounds: usize,
}

/// One task that calls, and what it remembers.
struct Caller {
    index: usize,
    client: GlobalDataClient,
    clock: Clock,
    random: fastrand::Rng,
    /// The revision of each variable when it was last told.
    revisions: [u64; KEYS],
    values: i64,
    calls: [Vec<Call>; KEYS],
    /// Calls of this round without an answer, each by variable and index.
    unanswered: Vec<(usize, usize)>,
}

impl Workload {
    /// Has all clients call, and checks what they saw. Returns how many calls were recorded, and how
    /// many of these have an unknown outcome.
    ///
    /// Once `settle` has returned, the server has done with every connection that was lost.
    pub(crate) async fn run(
        &self,
        clients: &[GlobalDataClient],
        settle: impl AsyncFn(),
    ) -> (usize, usize) {
        let clock = Clock::new();
        // The callers, and who settles.
        let barrier = Arc::new(Barrier::new(clients.len() * CALLERS_PER_CLIENT + 1));
        let handles = clients.iter().flat_map(|client| vec![client.clone(); CALLERS_PER_CLIENT]);
        let callers = handles.enumerate().map(|(index, client)| {
            let seed = self.seed.wrapping_mul(1000).wrapping_add(index as u64);
            let caller = Caller::new(index, client, clock, seed);
            tokio::spawn(caller.run(self.rounds, Arc::clone(&barrier)))
        });
        let callers: Vec<_> = callers.collect();
        for _ in 0..self.rounds {
            barrier.wait().await;
            settle().await;
            while !all_answer(clients).await {
                settle().await;
            }
            barrier.wait().await;
        }
        let mut by_key: [Vec<Call>; KEYS] = Default::default();
        for caller in callers {
            let calls = caller.await.unwrap();
            by_key.iter_mut().zip(calls).for_each(|(all, mut calls)| all.append(&mut calls));
        }
        let all = by_key.iter().flatten();
        let counts = (all.clone().count(), all.filter(|call| !call.is_known()).count());
        for (key, calls) in by_key.into_iter().enumerate() {
            if let Err(finding) = check(calls) {
                panic!("key.{key} of history {}: {finding}", self.seed);
            }
        }
        counts
    }
}

/// Whether all connections are there and have brought all answers: these come in order, and that to a
/// ping comes after those to the calls before it.
async fn all_answer(clients: &[GlobalDataClient]) -> bool {
    let pings = clients.iter().map(async |client| {
        let client = client.with_call_timeout(PATIENCE);
        client.ping().await.is_ok()
    });
    join_all(pings).await.into_iter().all(|answered| answered)
}

impl Caller {
    fn new(index: usize, client: GlobalDataClient, clock: Clock, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self {
            index,
            client,
            clock,
            random,
            revisions: [0; KEYS],
            values: 0,
            calls: Default::default(),
            unanswered: Vec::new(),
        }
    }

    async fn run(mut self, rounds: usize, barrier: Arc<Barrier>) -> [Vec<Call>; KEYS] {
        for _ in 0..rounds {
            for _ in 0..CALLS_PER_ROUND {
                let key = self.random.usize(..KEYS);
                let action = self.choose(key);
                self.call(key, action).await;
            }
            barrier.wait().await;
            // Everything settles here.
            barrier.wait().await;
            let now = self.clock.now();
            for (key, index) in self.unanswered.drain(..) {
                self.calls[key][index].returned = now;
            }
        }
        self.calls
    }

    fn choose(&mut self, key: usize) -> Action {
        match self.random.u32(..100) {
            0..27 => Action::Get,
            27..37 => Action::Set(self.value()),
            37..42 => {
                let ttl = Duration::from_millis(self.random.u64(1..6));
                Action::SetFor(self.value(), ttl.as_nanos() as u64)
            }
            42..49 => Action::Add(self.value()),
            49..65 => Action::Cas(self.revisions[key], self.value()),
            65..77 => Action::Increment(self.random.i64(1..10)),
            77..81 => Action::Max(self.value()),
            81..86 => Action::Within(self.random.i64(1..10), self.value()),
            86..90 => Action::Swap(self.value()),
            90..94 => Action::DeleteAt(self.revisions[key].max(1)),
            94..96 => Action::Take,
            _ => Action::Delete,
        }
    }

    /// One that nobody else stores, however much is added.
    fn value(&mut self) -> i64 {
        self.values += 1;
        (self.index as i64 + 1) * 1_000_000_000 + self.values * 10_000
    }

    async fn call(&mut self, key: usize, action: Action) {
        let called = self.clock.now();
        let done = self.carry_out(format!("key.{key}"), action).await;
        let returned = self.clock.now();
        let (outcome, returned) = match done {
            Ok(outcome) => (outcome, returned),
            Err(error) if error.outcome_unknown() => {
                self.unanswered.push((key, self.calls[key].len()));
                (Outcome::Unknown, returned)
            }
            Err(error) => panic!("{action}: {error}"),
        };
        if let Outcome::Read(Some((_, revision))) | Outcome::Stored(revision) = outcome {
            self.revisions[key] = revision;
        }
        self.calls[key].push(Call { caller: self.index, called, returned, action, outcome });
    }

    async fn carry_out(&self, key: String, action: Action) -> Result<Outcome, Error> {
        let client = &self.client;
        Ok(match action {
            Action::Get => {
                let entry = client.entry(key).await?;
                let read = entry.map(|entry| (entry.decode().unwrap(), entry.revision));
                Outcome::Read(read)
            }
            Action::Set(value) => Outcome::Stored(client.set(key, &value).await?),
            Action::SetFor(value, nanos) => {
                let client = client.with_ttl(Duration::from_nanos(nanos));
                Outcome::Stored(client.set_value(key, &Value::Int(value)).await?)
            }
            Action::Add(value) => Outcome::Added(client.add(key, &value).await?),
            Action::Cas(revision, value) => match client.cas(key, revision, &value).await? {
                Ok(revision) => Outcome::Stored(revision),
                Err(conflict) => Outcome::Conflict(conflict.current),
            },
            Action::Increment(by) => Outcome::Sum(int(client.increment(key, by).await?)),
            Action::Max(value) => Outcome::Sum(int(client.max(key, value).await?)),
            Action::Within(by, most) => {
                match client.increment_within(key, by, Bounds::at_most(most)).await? {
                    Ok(sum) => Outcome::Sum(int(sum)),
                    Err(OutOfBounds { current }) => Outcome::OutOfBounds(int(current)),
                }
            }
            Action::Swap(value) => Outcome::Was(client.swap(key, &value).await?),
            Action::Delete => Outcome::Deleted(client.delete(key).await?),
            Action::DeleteAt(revision) => match client.delete_at(key, revision).await? {
                Ok(()) => Outcome::Deleted(true),
                Err(conflict) => Outcome::Conflict(conflict.current),
            },
            Action::Take => Outcome::Was(client.take(key).await?),
        })
    }
}

fn int(number: Number) -> i64 {
    match number {
        Number::Int(int) => int,
        Number::Float(float) => panic!("integers make {float}"),
    }
}

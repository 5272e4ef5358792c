//! Programs that hold locks: no more of them at once than the lock allows, by what they know themselves.

use super::record::Record;
use crate::world::{World, lock};
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use workyard_globaldata::{GlobalDataClient, LockGuard};

/// Locks, with how many may hold them at once.
const LOCKS: [(&str, u32); 3] = [("l.1", 1), ("l.2", 1), ("s.1", 2)];

/// Every guard that somebody has.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    by_name: BTreeMap<&'static str, Vec<Weak<LockGuard>>>,
    /// Tokens whose session ended, or whose server died, before their time was over. Their holders may
    /// learn of it later than others are served: what protects from them is the fence alone.
    orphans: BTreeSet<u64>,
}

impl Guards {
    pub(crate) fn orphan(&mut self, tokens: Vec<u64>) {
        self.orphans.extend(tokens);
    }

    /// Adds a guard. Returns how many of its lock believe to hold it now.
    fn add(&mut self, name: &'static str, guard: &Arc<LockGuard>) -> usize {
        let guards = self.by_name.entry(name).or_default();
        guards.retain(|guard| guard.strong_count() > 0);
        guards.push(Arc::downgrade(guard));
        let is_orphan = |guard: &LockGuard| self.orphans.contains(&guard.token());
        let all = guards.iter().filter_map(Weak::upgrade);
        all.filter(|guard| guard.is_held() && !is_orphan(guard)).count()
    }
}

/// One attempt to hold a lock for a while.
pub(crate) struct Holder {
    pub(crate) world: Arc<World>,
    pub(crate) record: Arc<Mutex<Record>>,
    pub(crate) client: GlobalDataClient,
    pub(crate) rng: Rng,
}

impl Holder {
    pub(crate) async fn run(mut self) {
        let (name, permits) = self.rng.choice(LOCKS).expect("there are locks");
        let client = self.client.clone();
        let ttl = Duration::from_millis(self.rng.u64(50..3000));
        let wish = client.semaphore(name, permits).ttl(ttl);
        let patience = Duration::from_millis(self.rng.u64(..5000));
        let acquired = match self.rng.u8(..4) {
            0 => wish.try_acquire().await,
            1 => wish.acquire_within(patience).await,
            // Dropped at any time, it leaves nothing behind.
            2 => match tokio::time::timeout(patience, wish.acquire()).await {
                Ok(acquired) => acquired.map(Some),
                Err(_) => Ok(None),
            },
            _ => wish.acquire().await.map(Some),
        };
        self.world
            .network
            .say(|| format!("lock {name}: {:?}", acquired.as_ref().map(Option::is_some)));
        let Ok(Some(guard)) = acquired else { return };
        let guard = Arc::new(guard);
        let holding = lock(&self.record).guards.add(name, &guard);
        self.world.findings.check(holding <= permits as usize, || {
            format!("{holding} programs hold lock {name}, which {permits} may")
        });
        self.hold(guard).await;
    }

    async fn hold(&mut self, guard: Arc<LockGuard>) {
        tokio::time::sleep(Duration::from_millis(self.rng.u64(..1500))).await;
        if self.rng.bool() {
            let written =
                self.client.fenced_by(&guard).set(super::actor::FENCED, "by the lock").await;
            self.world.network.say(|| format!("token {}: write {written:?}", guard.token()));
        }
        match self.rng.u8(..4) {
            0 => {
                let lost = guard.lost();
                let lost = tokio::time::timeout(Duration::from_secs(2), lost).await;
                self.world.network.say(|| format!("token {}: lost {lost:?}", guard.token()));
            }
            1 => {
                if let Some(guard) = Arc::into_inner(guard) {
                    let unlocked = guard.unlock().await;
                    self.world.network.say(|| format!("unlocked: {unlocked:?}"));
                }
            }
            _ => drop(guard),
        }
    }
}

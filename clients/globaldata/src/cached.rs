//! A cache beside the client: what was read once is read again without asking, as long as a watch says
//! that it still holds.

use crate::client::GlobalDataClient;
use crate::entry::Entry;
use crate::error::{Error, ErrorKind};
use crate::limits::{CACHE_PAUSE, CACHED_EVENTS_MAX, CACHED_VALUE_BYTES_MAX, CACHED_VARIABLES_MAX};
use crate::session::Told;
use crate::watch::{WatchEvent, Watcher};
use bytes::Bytes;
use lru::LruCache;
use serde::de::DeserializeOwned;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};
use workyard_planted::planted;
use workyard_protocol::{Reason, Value};

/// A client that reads variables locally once it has read them; see [`GlobalDataClient::cached`]. Clones share
/// the cache.
#[derive(Clone, Debug)]
pub struct CachedClient {
    inner: Arc<Inner>,
}

/// What a cache has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Reads that were answered locally.
    pub hits: u64,
    /// Reads that a server was asked for.
    pub misses: u64,
    /// How many variables are watched, those that do not exist included.
    pub variables: usize,
}

#[derive(Debug)]
struct Inner {
    client: GlobalDataClient,
    value_bytes_max: usize,
    slots: Mutex<LruCache<Bytes, Arc<Slot>>>,
    /// Until when nothing more is watched, since a server has refused to.
    paused: Mutex<Option<Instant>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// A place for one variable; whoever comes first fills it, the others wait for him.
type Slot = OnceCell<Mutex<Option<Cached>>>;

/// A variable that is watched.
#[derive(Debug)]
struct Cached {
    watcher: Watcher,
    /// The variable, and when it is over.
    entry: Option<(Entry, Option<Instant>)>,
}

/// What the cache knows of a variable.
enum Known {
    /// How it stands; nothing: it does not exist.
    Entry(Option<Entry>),
    /// Nothing, for now.
    Unsure,
    /// Only that its time is over, unless somebody has prolonged it.
    Expired,
    /// Nothing, as nothing is watched.
    Nothing,
    /// The same: the server does not have it watched any more.
    Ended,
}

impl GlobalDataClient {
    /// A cache beside this client: a variable that is read through it is watched from then on, and read
    /// locally until it changes.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let cached = client.cached();
    /// for _ in 0..1000 {
    ///     let limit: Option<u32> = cached.get("config.limit").await?; // asks the server once
    /// }
    /// client.set("config.limit", &7).await?;
    /// assert_eq!(cached.get::<u32>("config.limit").await?, Some(7));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// **How old a value can be.** The server pushes each change when it is made, and the client takes it
    /// into account from the moment that it has come. So a read never returns anything older than
    ///
    /// * what an earlier read through the same cache returned,
    /// * what this client, or a clone of it, wrote and had acknowledged before,
    /// * what anybody wrote whose push had come before the read began.
    ///
    /// Another client's write that was acknowledged to *it* may be missing as long as the push takes to
    /// come: who needs to see it asks the server with [`GlobalDataClient::get`]. While there is no connection,
    /// nothing is read locally, nor while the server has more to tell than the connection takes; a connection
    /// that is dead without a sign is found out by the heartbeat, and until then what it brought last is
    /// returned. Another ttl alone is not pushed: that of a variable that was touched is seen when the former
    /// one is over.
    #[must_use]
    pub fn cached(&self) -> CachedClient {
        CachedClient::new(self.clone(), CACHED_VARIABLES_MAX, CACHED_VALUE_BYTES_MAX)
    }
}

impl CachedClient {
    fn new(client: GlobalDataClient, variables_max: usize, value_bytes_max: usize) -> Self {
        let variables_max = NonZeroUsize::new(variables_max).unwrap_or(NonZeroUsize::MIN);
        let slots = Mutex::new(LruCache::new(variables_max));
        let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
        let paused = Mutex::new(None);
        Self { inner: Arc::new(Inner { client, value_bytes_max, slots, paused, hits, misses }) }
    }

    /// A new and empty cache beside the same client, with other bounds: so many variables at once, of which
    /// those read least recently give way; and values so large at most, others are asked for each time.
    /// Without this they are 10 000 and 64 KiB.
    #[must_use]
    pub fn bounded(&self, variables_max: usize, value_bytes_max: usize) -> Self {
        Self::new(self.inner.client.clone(), variables_max, value_bytes_max)
    }

    /// The value of a variable; nothing when it does not exist.
    ///
    /// # Errors
    /// As for [`GlobalDataClient::get`].
    pub async fn get<T: DeserializeOwned>(
        &self,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<T>, Error> {
        self.entry(key).await?.map(|entry| entry.decode()).transpose()
    }

    /// The value of a variable as it is stored, and its revision.
    ///
    /// # Errors
    /// As for [`GlobalDataClient::entry`].
    pub async fn entry(&self, key: impl AsRef<[u8]>) -> Result<Option<Entry>, Error> {
        let (inner, key) = (&*self.inner, key.as_ref());
        let Some(slot) = inner.slot(key) else { return inner.ask(key).await };
        // Also for him who waits until another one has asked.
        let after = inner.client.link(inner.client.shard_of(key)).call_timeout();
        let known = match timeout(after, inner.look(key, &slot)).await {
            Ok(known) => known?,
            Err(_) => return Err(workyard_link::Error::TimedOut { after }.into()),
        };
        match known {
            Known::Entry(entry) => Ok(entry),
            Known::Expired => {
                let entry = inner.ask(key).await?;
                prolong(&slot, entry.as_ref());
                Ok(entry)
            }
            Known::Unsure | Known::Nothing | Known::Ended => inner.ask(key).await,
        }
    }

    /// What the cache has done so far.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.inner.hits.load(Ordering::Relaxed),
            misses: self.inner.misses.load(Ordering::Relaxed),
            variables: lock(&self.inner.slots).len(),
        }
    }

    /// The client beside which it is: for writes, and for reads that must not be local.
    #[must_use]
    pub fn client(&self) -> &GlobalDataClient {
        &self.inner.client
    }
}

impl Inner {
    /// The place of a variable, made if there is none.
    fn slot(&self, key: &[u8]) -> Option<Arc<Slot>> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(key) {
            return Some(Arc::clone(slot));
        }
        let mut paused = lock(&self.paused);
        if paused.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        *paused = None;
        let slot = Arc::default();
        let pushed_out = slots.push(Bytes::copy_from_slice(key), Arc::clone(&slot));
        drop((paused, slots));
        // It ends its watch, with nothing locked.
        drop(pushed_out);
        Some(slot)
    }

    async fn ask(&self, key: &[u8]) -> Result<Option<Entry>, Error> {
        self.misses.fetch_add(1, Ordering::Relaxed);
        self.client.entry(key).await
    }

    async fn look(&self, key: &[u8], slot: &Arc<Slot>) -> Result<Known, Error> {
        if let Some(cached) = slot.get() {
            let known = lock(cached).as_mut().map_or(Known::Nothing, Cached::known);
            match &known {
                Known::Entry(entry) => {
                    self.hits.fetch_add(1, Ordering::Relaxed);
                    if self.is_too_large(entry.as_ref()) {
                        // It has grown: from now on each read asks for it.
                        drop(lock(cached).take());
                    }
                }
                Known::Ended => self.give_up(key, slot),
                Known::Unsure | Known::Expired | Known::Nothing => {}
            }
            return Ok(known);
        }
        match slot.get_or_try_init(|| self.fill(key)).await {
            Ok(cached) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                Ok(lock(cached).as_mut().map_or(Known::Nothing, Cached::known))
            }
            Err(error) => {
                self.give_up(key, slot);
                match error.kind() {
                    ErrorKind::Refused if error.reason() == Some(Reason::LimitReached) => {
                        *lock(&self.paused) = Instant::now().checked_add(CACHE_PAUSE);
                        Ok(Known::Nothing)
                    }
                    _ => Err(error),
                }
            }
        }
    }

    /// Watches a variable, and returns when it is known how it stands.
    async fn fill(&self, key: &[u8]) -> Result<Mutex<Option<Cached>>, Error> {
        let watching = self.client.watch(key).buffer(CACHED_EVENTS_MAX, self.value_bytes_max);
        let mut cached = Cached { watcher: watching.await?, entry: None };
        loop {
            let told = poll_fn(|cx| cached.watcher.poll_take(cx)).await;
            let told = told.ok_or(workyard_link::Error::Closed)?;
            if told.event == WatchEvent::CaughtUp {
                break;
            }
            cached.apply(told);
        }
        let entry = cached.entry.as_ref().map(|(entry, _)| entry);
        Ok(Mutex::new((!self.is_too_large(entry)).then_some(cached)))
    }

    fn is_too_large(&self, entry: Option<&Entry>) -> bool {
        entry.is_some_and(|entry| entry.value.as_ref().byte_len() > self.value_bytes_max)
    }

    /// Makes room for another attempt.
    fn give_up(&self, key: &[u8], slot: &Arc<Slot>) {
        let mut slots = lock(&self.slots);
        if slots.peek(key).is_some_and(|present| Arc::ptr_eq(present, slot)) {
            slots.pop(key);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // One by one, since the server hears of each: a table's own order is random.
        let slots = self.slots.get_mut().unwrap_or_else(PoisonError::into_inner);
        while slots.pop_lru().is_some() {}
    }
}

impl Cached {
    /// How the variable stands, as far as the connection has brought it.
    fn known(&mut self) -> Known {
        // In this order: what has come when it was live is seen.
        let is_live = self.watcher.is_live();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(told) = self.watcher.poll_take(&mut cx) {
            match told {
                Some(told) => self.apply(told),
                None => return Known::Ended,
            }
        }
        match &self.entry {
            _ if !is_live && !planted!("cache-outlives-its-connection") => Known::Unsure,
            None => Known::Entry(None),
            Some((entry, None)) => Known::Entry(Some(entry.clone())),
            Some((entry, Some(expires))) => {
                let ttl = expires.saturating_duration_since(Instant::now());
                match ttl {
                    // The server knows better: it says when it is gone, but not that it lives longer.
                    Duration::ZERO => Known::Expired,
                    _ => Known::Entry(Some(Entry { ttl: Some(ttl), ..entry.clone() })),
                }
            }
        }
    }

    fn apply(&mut self, told: Told) {
        let Told { event, expires, .. } = told;
        match event {
            WatchEvent::Stored { revision, ttl, value: Some(value), .. } => {
                self.entry = Some((Entry { revision, ttl, value: own(value) }, expires));
            }
            WatchEvent::Stored { value: None, .. } | WatchEvent::CaughtUp => {}
            WatchEvent::Deleted { .. } if planted!("deleted-value-stays-in-the-cache") => {}
            WatchEvent::Deleted { .. }
            | WatchEvent::Expired { .. }
            | WatchEvent::Restarted { .. } => self.entry = None,
        }
    }
}

/// A variable whose time was over here is there still: somebody has prolonged it.
fn prolong(slot: &Slot, found: Option<&Entry>) {
    let Some(cached) = slot.get() else { return };
    if let Some(Cached { entry: Some((known, expires)), .. }) = &mut *lock(cached)
        && let Some(found) = found
        && found.revision == known.revision
    {
        known.ttl = found.ttl;
        *expires = found.ttl.and_then(|ttl| Instant::now().checked_add(ttl));
    }
}

/// The value on its own, without the rest of what it was received with.
fn own(value: Value) -> Value {
    match value {
        Value::Encoded { encoding, bytes } => {
            Value::Encoded { encoding, bytes: Bytes::copy_from_slice(&bytes) }
        }
        number => number,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whatever panicked under the lock was none of ours, and left a whole state behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

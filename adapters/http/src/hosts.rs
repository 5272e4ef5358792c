//! A guard for each host, so that one that is slow or down is no other's trouble.

use crate::options::Options;
use crate::origin::{origin, target};
use lru::LruCache;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;
use workyard_adapter_kit::{
    CallOptions, Error, ErrorKind, Guard, Observer, Result, RetryBudget, Stats,
};

/// The hosts that were asked lately.
pub(crate) struct Hosts {
    calls: CallOptions,
    budget: RetryBudget,
    observer: Option<Arc<dyn Observer>>,
    hosts_max: usize,
    table: Mutex<Table>,
}

struct Table {
    hosts: LruCache<Box<str>, Arc<Guard>>,
    /// Of hosts that gave way to others.
    past: Stats,
    closed: bool,
}

impl Hosts {
    pub(crate) fn new(options: &Options) -> Self {
        let table = Table { hosts: LruCache::unbounded(), past: Stats::default(), closed: false };
        Self {
            calls: options.calls.clone(),
            budget: options.retry_budget,
            observer: options.observer.clone(),
            hosts_max: options.hosts_max,
            table: Mutex::new(table),
        }
    }

    /// The guard of the host that a URL is of.
    pub(crate) fn guard(&self, url: &Url) -> Result<Arc<Guard>> {
        let mut table = self.table();
        if let Some(guard) = table.hosts.get(origin(url)) {
            return Ok(Arc::clone(guard));
        }
        if table.closed {
            return Err(Error::new(ErrorKind::Closed, "the adapter is closed"));
        }
        if table.hosts.len() >= self.hosts_max {
            table.forget_one(self.hosts_max)?;
        }
        let (calls, observer) = (self.calls.clone(), self.observer.clone());
        let target = target(url).into();
        let guard = Guard::with_budget("http", target, calls, observer, Some(self.budget))?;
        let guard = Arc::new(guard);
        table.hosts.put(origin(url).into(), Arc::clone(&guard));
        Ok(guard)
    }

    /// What was done with all hosts together.
    pub(crate) fn stats(&self) -> Stats {
        let table = self.table();
        table.hosts.iter().fold(table.past.clone(), |total, (_, guard)| total.and(guard.stats()))
    }

    /// What was done with each of the hosts that were asked lately.
    pub(crate) fn stats_by_host(&self) -> BTreeMap<String, Stats> {
        let table = self.table();
        table.hosts.iter().map(|(origin, guard)| (origin.to_string(), guard.stats())).collect()
    }

    /// As [`Guard::close`], for all of them.
    pub(crate) async fn close(&self, grace: Duration) -> bool {
        let guards: Vec<_> = {
            let mut table = self.table();
            table.closed = true;
            table.hosts.iter().map(|(_, guard)| Arc::clone(guard)).collect()
        };
        let closings = guards.iter().map(|guard| guard.close(grace));
        futures_util::future::join_all(closings).await.into_iter().all(|ended| ended)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Makes room: of those that nobody uses, the one that was not used for longest. Those that are in use
    /// count as used now, so that they are not met again the next time.
    fn forget_one(&mut self, hosts_max: usize) -> Result<()> {
        for _ in 0..self.hosts.len() {
            let Some((origin, guard)) = self.hosts.pop_lru() else { break };
            if !is_idle(&guard) {
                self.hosts.put(origin, guard);
                continue;
            }
            self.past = std::mem::take(&mut self.past).and(guard.stats());
            // It is no longer known.
            self.past.circuit_open = false;
            return Ok(());
        }
        let message = format!(
            "calls to {hosts_max} hosts are under way, as many as hosts_max allows; ask fewer at once, or \
             raise hosts_max"
        );
        Err(Error::new(ErrorKind::Busy, message))
    }
}

/// Who is about to call holds it, too, and a stream that goes on keeps its place.
fn is_idle(guard: &Arc<Guard>) -> bool {
    Arc::strong_count(guard) == 1 && guard.stats().calls == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_adapter_kit::Call;

    fn url(host: u32) -> Url {
        Url::parse(&format!("http://h{host}/x")).unwrap()
    }

    fn hosts(hosts_max: usize) -> Hosts {
        Hosts::new(&Options { hosts_max, ..Options::default() })
    }

    #[tokio::test]
    async fn the_host_that_nobody_uses_gives_way_and_is_counted_all_the_same() {
        let hosts = hosts(3);
        for host in 0..1000 {
            let guard = hosts.guard(&url(host)).unwrap();
            guard.call(Call::new("GET"), async || Ok(())).await.unwrap();
        }
        assert_eq!(hosts.stats_by_host().len(), 3);
        assert_eq!((hosts.stats().succeeded, hosts.stats().calls), (1000, 0));
    }

    #[tokio::test]
    async fn a_host_that_is_used_stays() {
        let hosts = hosts(2);
        let held = hosts.guard(&url(0)).unwrap();
        let ((), kept) =
            hosts.guard(&url(1)).unwrap().begin(Call::new("GET"), async || Ok(())).await.unwrap();
        let error = hosts.guard(&url(2)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(Arc::ptr_eq(&held, &hosts.guard(&url(0)).unwrap()));
        drop(kept);
        hosts.guard(&url(2)).unwrap();
        assert_eq!(hosts.guard(&url(3)).map(drop).map_err(|error| error.kind()), Ok(()));
    }

    #[tokio::test]
    async fn many_long_streams_do_not_lock_out_hosts_that_are_new() {
        let hosts = hosts(100);
        let mut streams = Vec::new();
        for host in 0..99 {
            let guard = hosts.guard(&url(host)).unwrap();
            streams.push(guard.begin(Call::new("GET"), async || Ok(())).await.unwrap());
        }
        for host in 99..300 {
            let guard = hosts.guard(&url(host)).unwrap();
            guard.call(Call::new("GET"), async || Ok(())).await.unwrap();
        }
        let by_host = hosts.stats_by_host();
        assert_eq!(by_host.values().filter(|stats| stats.calls == 1).count(), 99);
        assert_eq!((by_host.len(), hosts.stats().succeeded), (100, 300));
        let last = hosts.guard(&url(300)).unwrap();
        assert_eq!(hosts.guard(&url(301)).unwrap_err().kind(), ErrorKind::Busy);
        drop((last, streams));
        hosts.guard(&url(301)).unwrap();
    }

    #[tokio::test]
    async fn what_is_closed_takes_no_host_any_more() {
        let hosts = hosts(2);
        let guard = hosts.guard(&url(0)).unwrap();
        assert!(hosts.close(Duration::from_secs(1)).await);
        assert_eq!(hosts.guard(&url(1)).unwrap_err().kind(), ErrorKind::Closed);
        let error = guard.call(Call::new("GET"), async || Ok(())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
}

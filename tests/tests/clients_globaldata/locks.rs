//! Locks of several clients: one at a time, in turn, fenced, and nothing left behind by who gives up.

use crate::support::{all, client, clients, daemon, tasks};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use workyard_globaldata::{Error, GlobalDataClient, LockLost, Number, Reason};
use workyard_tests::clients::{until, within};

/// Long beside what a test takes.
const LONG: Duration = Duration::from_secs(600);

async fn in_use(client: &GlobalDataClient) -> usize {
    let mut locks = client.locks("");
    let mut count = 0;
    while let Some(info) = locks.next().await {
        let info = info.unwrap();
        count += (info.holders + info.waiters) as usize;
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_and_each_in_its_turn() {
    const ROUNDS: usize = 50;
    let daemon = daemon();
    let clients = clients(&daemon, 8).await;
    let (inside, latest) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicU64::new(0)));
    let working = clients.iter().cloned().map(|client| {
        let (inside, latest) = (Arc::clone(&inside), Arc::clone(&latest));
        async move {
            for _ in 0..ROUNDS {
                let guard = within(client.lock("work").ttl(LONG).acquire()).await.unwrap();
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "nobody else is inside");
                assert!(latest.swap(guard.token(), Ordering::SeqCst) < guard.token());
                // Lost if two did it at once.
                let count: i64 = client.get("count").await.unwrap().unwrap_or(0);
                client.fenced_by(&guard).set("count", &(count + 1)).await.unwrap();
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        }
    });
    tasks(working).await;
    assert_eq!(clients[0].get("count").await.unwrap(), Some(8 * ROUNDS as i64));
    until("nobody holds or waits", async || in_use(&clients[0]).await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_semaphore_lets_so_many_in() {
    const PERMITS: i64 = 3;
    let daemon = daemon();
    let client = client(&daemon).await;
    let (inside, most) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let working = (0..60).map(|_| {
        let (client, inside, most) = (client.clone(), Arc::clone(&inside), Arc::clone(&most));
        async move {
            let pool = client.semaphore("pool", PERMITS as u32);
            let _permit = within(pool.acquire()).await.unwrap();
            let count = inside.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(count, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
            inside.fetch_sub(1, Ordering::SeqCst);
        }
    });
    tasks(working).await;
    assert_eq!(most.load(Ordering::SeqCst), PERMITS, "no more, and no fewer");
    let error = within(async {
        let _held = client.semaphore("pool", 3).acquire().await.unwrap();
        client.lock("pool").acquire().await.unwrap_err()
    });
    assert_eq!(error.await.reason(), Some(Reason::PermitsDiffer));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_is_followed_at_once() {
    let daemon = daemon();
    let [one, other] = [client(&daemon).await, client(&daemon).await];
    let held = one.lock("work").ttl(LONG).acquire().await.unwrap();
    let waiting = tokio::spawn(async move { other.lock("work").ttl(LONG).acquire().await });
    until("it waits", async || in_use(&one).await == 2).await;
    one.close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(held.lost().await, LockLost::Disconnected);
    let next = within(waiting).await.unwrap().unwrap();
    assert!(next.token() > held.token() && next.is_held());
}

/// The runtime's thread is blocked for longer than the ttl: the connection's task runs on another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_blocked_callback_keeps_its_lock() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let guard = client.lock("work").ttl(Duration::from_millis(500)).acquire().await.unwrap();
    let blocked = tokio::spawn(async move {
        // What a worker does that computes for long.
        std::thread::sleep(Duration::from_secs(2));
        guard
    });
    let guard = within(blocked).await.unwrap();
    assert!(guard.is_held());
    client.fenced_by(&guard).set("done", &true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_of_the_server_tokens_grow_and_nobody_holds_what_was() {
    let mut daemon = daemon();
    let client = client(&daemon).await;
    let mut before = 0;
    for _ in 0..3 {
        let guard = within(client.lock("work").acquire()).await.unwrap();
        assert!(guard.token() > before, "{} after {before}", guard.token());
        before = guard.token();
        daemon.kill();
        assert_eq!(within(guard.lost()).await, LockLost::Disconnected);
        daemon.start_again();
        // The old token is nothing to the new server.
        let late = async || match client.fenced_by(&guard).set("a", "late").await {
            Err(error) if error.reason() == Some(Reason::Fenced) => true,
            Err(Error::Link(_)) => false,
            other => panic!("not fenced: {other:?}"),
        };
        until("the client is back", late).await;
    }
}

/// A client is paused by its server being so: its requests and renewals are not answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_knows_of_its_loss_before_the_next_one_holds_it() {
    let daemon = daemon();
    let [one, other] = [client(&daemon).await, client(&daemon).await];
    let lock = one.lock("work").ttl(Duration::from_millis(300));
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::spawn(async move { other.lock("work").acquire().await.unwrap() });
    until("it waits", async || in_use(&one).await == 2).await;
    daemon.pause();
    let began = Instant::now();
    assert_eq!(within(guard.lost()).await, LockLost::Expired);
    assert!(began.elapsed() < Duration::from_secs(5) && !waiting.is_finished());
    daemon.resume();
    let late = within(one.fenced_by(&guard).increment("a", 1)).await;
    match late {
        // The server saw a renewal that was sent in time before it looked at the clock.
        Ok(sum) => assert_eq!(sum, Number::Int(1)),
        Err(error) => assert_eq!(error.reason(), Some(Reason::Fenced)),
    }
    drop(guard);
    drop(within(waiting).await.unwrap());
}

/// For every n, an acquire that is dropped after its nth poll.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acquire_that_is_dropped_at_any_poll_leaves_nothing() {
    let daemon = daemon();
    let [one, other] = [client(&daemon).await, client(&daemon).await];
    let mut dropped = 0;
    while dropped < 1000 {
        // Half of them meet a lock that is held.
        let held = match dropped % 2 {
            0 => None,
            _ => Some(within(other.lock("work").acquire()).await.unwrap()),
        };
        let acquiring = (0..8).map(|polls| dropped_after(&one, polls));
        dropped += all(acquiring).await.len();
        drop(held);
        let guard = within(other.lock("work").ttl(LONG).acquire()).await.unwrap();
        within(guard.unlock()).await.unwrap();
    }
    until("nobody holds or waits", async || in_use(&one).await == 0).await;
}

async fn dropped_after(client: &GlobalDataClient, polls: usize) {
    let lock = client.lock("work").ttl(LONG);
    let mut acquiring = pin!(lock.acquire());
    for _ in 0..polls {
        let cx = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(guard) = acquiring.as_mut().poll(cx) {
            return drop(guard.unwrap());
        }
        // Whatever was sent may be answered meanwhile.
        tokio::time::sleep(Duration::from_micros(fastrand::u64(0..500))).await;
    }
}

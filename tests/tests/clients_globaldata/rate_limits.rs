//! A limit that many programs share: exactly as many as it allows, and again when the window is over.

use crate::support::{client, clients, daemon, tasks};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_ask_exactly_the_limit_is_allowed() {
    let daemon = daemon();
    let asking = clients(&daemon, 8).await.into_iter().map(|client| async move {
        let limit = client.rate_limit("calls", 100, Duration::from_secs(3600));
        let mut allowed = 0;
        for _ in 0..50 {
            allowed += u32::from(limit.check().await.unwrap().allowed);
        }
        allowed
    });
    assert_eq!(tasks(asking).await.into_iter().sum::<u32>(), 100);
    assert_eq!(client(&daemon).await.get::<u32>("calls").await.unwrap(), Some(100));
}

#[tokio::test]
async fn a_window_that_is_over_counts_no_more() {
    let daemon = daemon();
    let limit = client(&daemon).await.rate_limit("calls", 1, Duration::from_millis(50));
    assert!(limit.check().await.unwrap().allowed);
    let begun = Instant::now();
    // Being turned away does not prolong it.
    while !limit.check().await.unwrap().allowed {
        assert!(begun.elapsed() < Duration::from_secs(20), "the window does not end");
    }
}

//! Calls that are polled so many times and then dropped.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use workyard_tests::clients::within;

/// Polls a future so many times and drops it, unless it is done before.
pub(crate) async fn polled<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Makes a call anew for every number of polls, from none to as many as it needs, and returns how often
/// it was dropped. The last one has come to its end.
pub(crate) async fn dropped_at_every_poll<F: Future<Output = ()>>(call: impl Fn() -> F) -> usize {
    for polls in 0.. {
        if within(polled(call(), polls)).await.is_some() {
            return polls;
        }
    }
    unreachable!("there is a poll at which it is done")
}

#[tokio::test]
async fn a_call_is_dropped_once_for_each_poll_that_it_waits_at() {
    let twice = || async {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    };
    assert_eq!(dropped_at_every_poll(twice).await, 3);
    assert_eq!(dropped_at_every_poll(async || ()).await, 1);
}

//! A call that is dropped at any point harms nobody.

use crate::requests::{answer, ask, connected, question};
use crate::support::FakeServer;
use futures_util::FutureExt;
use std::pin::pin;
use workyard_link::Options;

/// Polls a call a number of times, lets the others run in between, and drops it.
async fn abandon<T>(call: impl Future<Output = T>, polls: usize) {
    let mut call = pin!(call);
    for _ in 0..polls {
        assert!((&mut call).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_dropped_at_any_poll_never_takes_anothers_answer() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    for (round, late_first) in (0..20).flat_map(|round| [(round, true), (round, false)]) {
        abandon(ask(&link, 1000 + round), round as usize / 2).await;
        let serving = async {
            let mut questions = vec![question(&mut peer).await];
            if questions[0].1 >= 1000 {
                questions.push(question(&mut peer).await);
            }
            if !late_first {
                questions.reverse();
            }
            for asked in questions {
                answer(&mut peer, asked).await;
            }
        };
        let (answered, ()) = tokio::join!(ask(&link, round), serving);
        assert_eq!(answered.unwrap(), round);
    }
}

#[tokio::test]
async fn a_call_dropped_before_it_is_sent_is_never_sent() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    // One poll puts it into the queue; nothing else runs before it is dropped.
    {
        let mut call = pin!(ask(&link, 1000));
        assert!((&mut call).now_or_never().is_none());
    }
    let serving = async {
        let asked = question(&mut peer).await;
        assert_eq!(asked.1, 1);
        answer(&mut peer, asked).await;
    };
    let (answered, ()) = tokio::join!(ask(&link, 1), serving);
    assert_eq!(answered.unwrap(), 1);
}

//! Rate limits: one request a check, and what is made of its answer.

use crate::dialogue::{answer, connected, modified, modified_for};
use crate::support::FakeServer;
use std::time::Duration;
use workyard_globaldata::{ErrorKind, Number};
use workyard_protocol::globaldata::Outcome;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_check_counts_in_a_window_that_the_first_one_begins() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let number = |number| Outcome::Number(Number::Int(number));
    let one = "add 1 within ..10 from 0 to calls for 60000 ms if new";
    let three = "add 3 within ..10 from 0 to calls for 60000 ms if new";
    let serving = async {
        answer(&mut peer, one, modified_for(60_000, number(1))).await;
        answer(&mut peer, three, modified_for(100, number(4))).await;
        let full = Outcome::OutOfBounds(Number::Int(9));
        answer(&mut peer, three, modified_for(1, full)).await;
        // What others put there is counted as what it is.
        answer(&mut peer, one, modified(Outcome::OutOfBounds(Number::Float(10.5)))).await;
        answer(&mut peer, one, modified(number(-5))).await;
    };
    let checking = async {
        let limit = client.rate_limit("calls", 10, MINUTE);
        let verdict = limit.check().await.unwrap();
        assert_eq!((verdict.allowed, verdict.remaining), (true, 9));
        assert_eq!(verdict.reset_in, Some(MINUTE));
        let verdict = limit.check_many(3).await.unwrap();
        assert_eq!((verdict.allowed, verdict.remaining), (true, 6));
        let verdict = limit.check_many(3).await.unwrap();
        assert_eq!((verdict.allowed, verdict.remaining), (false, 1));
        assert_eq!(verdict.reset_in, Some(Duration::from_millis(1)));
        let verdict = limit.check().await.unwrap();
        assert_eq!((verdict.allowed, verdict.remaining, verdict.reset_in), (false, 0, None));
        let verdict = limit.check().await.unwrap();
        assert_eq!((verdict.allowed, verdict.remaining), (true, 10));
    };
    tokio::join!(checking, serving);
}

#[tokio::test]
async fn what_no_window_allows_is_refused_here() {
    let server = FakeServer::bind().await;
    let (client, _peer) = connected(&server).await;
    for (most, count, window) in
        [(10, 11, MINUTE), (10, 0, MINUTE), (0, 1, MINUTE), (10, 1, Duration::ZERO)]
    {
        let error = client.rate_limit("calls", most, window).check_many(count).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

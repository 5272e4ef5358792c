//! Calls through a guard, with a clock that the tests hold.

use super::*;
use crate::backoff::Backoff;
use crate::breaker::BreakerOptions;
use crate::call::Repeat;
use crate::observer::{CallReport, Cancelled};
use crate::options::RetryOptions;
use std::cell::Cell;
use std::future::pending;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const READ: Call = Call::new("GET").repeat(Repeat::Freely);
const WRITE: Call = Call::new("SET");

fn guard(options: CallOptions) -> Guard {
    Guard::new("redis", "h:1".into(), options, None).unwrap()
}

fn lost() -> Error {
    Error::new(ErrorKind::Disconnected, "lost")
}

fn unreachable() -> Error {
    Error::new(ErrorKind::Unreachable, "no")
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_passed_on_and_counted() {
    let guard = guard(CallOptions::default());
    assert_eq!(guard.call(WRITE, async || Ok(7)).await.unwrap(), 7);
    let stats = guard.stats();
    assert_eq!((stats.succeeded, stats.calls, stats.repeated), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_error_says_where() {
    let guard = guard(CallOptions::default());
    let no = async || Err::<(), _>(Error::new(ErrorKind::Server, "WRONGTYPE"));
    let error = guard.call(READ, no).await.unwrap_err();
    assert_eq!(error.to_string(), "redis h:1: GET: WRONGTYPE");
    assert_eq!(guard.stats().failed["server"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_reads_is_made_again_and_one_that_writes_is_not() {
    for (call, expected) in [(READ, 3), (WRITE, 1), (WRITE.repeat(Repeat::Never), 1)] {
        let attempts = Cell::new(0);
        let guard = guard(CallOptions::default());
        let lose = async || {
            attempts.set(attempts.get() + 1);
            Err::<(), _>(lost())
        };
        guard.call(call, lose).await.unwrap_err();
        assert_eq!(attempts.get(), expected, "{call:?}");
        assert_eq!(guard.stats().repeated, expected - 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_never_sent_is_made_again() {
    let attempts = Cell::new(0);
    let second = async || {
        attempts.set(attempts.get() + 1);
        if attempts.get() == 1 { Err(unreachable()) } else { Ok("done") }
    };
    assert_eq!(guard(CallOptions::default()).call(WRITE, second).await.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_and_a_call_have_their_time() {
    let options = CallOptions {
        request_timeout: SECOND * 2,
        call_timeout: SECOND * 3,
        ..CallOptions::default()
    };
    let guard = guard(options);
    for (call, seconds) in [(WRITE, 2), (READ, 3), (WRITE.within(SECOND * 30), 30)] {
        let started = Instant::now();
        let error = guard.call(call, pending::<Result<(), _>>).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.outcome_unknown());
        let taken = started.elapsed().as_millis();
        assert!((seconds * 1000..seconds * 1000 + 5).contains(&taken), "{call:?}: {taken} ms");
    }
    let error = guard.call(WRITE, pending::<Result<(), _>>).await.unwrap_err();
    assert_eq!(error.to_string(), "redis h:1: SET: no answer within 2s");
}

#[tokio::test(start_paused = true)]
async fn no_more_wait_than_may() {
    let options = CallOptions {
        calls_max: 2,
        waiting_max: 1,
        call_timeout: SECOND,
        request_timeout: SECOND * 9,
        ..CallOptions::default()
    };
    let guard = guard(options);
    let hold = || guard.call(WRITE.within(SECOND * 60), pending::<Result<(), _>>);
    let mut held = [Box::pin(hold()), Box::pin(hold())];
    for call in &mut held {
        assert!(timeout(Duration::ZERO, call).await.is_err());
    }
    let mut waits = Box::pin(guard.call(WRITE, async || Ok(())));
    assert!(timeout(Duration::ZERO, &mut waits).await.is_err());
    assert_eq!((guard.stats().calls, guard.stats().waiting), (2, 1));

    let error = guard.call(WRITE, async || Ok(())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.message().contains("2 calls are under way, as many as calls_max"), "{error}");
    assert!(!error.outcome_unknown());

    let error = waits.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.message().contains("none of them ended in time"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_gives_its_place_back() {
    let guard = guard(CallOptions { calls_max: 1, waiting_max: 0, ..CallOptions::default() });
    for _ in 0..10 {
        let call = guard.call(WRITE, pending::<Result<(), _>>);
        assert!(timeout(SECOND / 10, call).await.is_err());
    }
    guard.call(WRITE, async || Ok(())).await.unwrap();
    let stats = guard.stats();
    assert_eq!((stats.cancelled, stats.succeeded, stats.calls), (10, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_down_is_left_alone_and_tried_now_and_then() {
    let breaker = BreakerOptions { failures_max: 4, open_for: SECOND };
    let retry = RetryOptions { attempts_max: 1, ..RetryOptions::default() };
    let guard = guard(CallOptions { breaker, retry, ..CallOptions::default() });
    for _ in 0..4 {
        let error = guard.call(READ, async || Err::<(), _>(unreachable())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
    }
    let error = guard.call(READ, async || Ok(())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert!(guard.stats().circuit_open);

    sleep(SECOND).await;
    // A trial that is given up does not leave everybody waiting.
    assert!(timeout(SECOND, guard.call(READ, pending::<Result<(), _>>)).await.is_err());
    guard.call(READ, async || Ok(())).await.unwrap();
    assert!(!guard.stats().circuit_open);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_no_is_not_down() {
    let breaker = BreakerOptions { failures_max: 2, open_for: SECOND };
    let guard = guard(CallOptions { breaker, ..CallOptions::default() });
    for _ in 0..10 {
        let no = async || Err::<(), _>(Error::new(ErrorKind::Server, "no"));
        assert_eq!(guard.call(READ, no).await.unwrap_err().kind(), ErrorKind::Server);
    }
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_those_under_way_and_sends_away_those_that_wait() {
    let guard = guard(CallOptions { calls_max: 1, ..CallOptions::default() });
    let under_way = guard.call(WRITE, async || {
        sleep(SECOND).await;
        Ok(())
    });
    let waiting = guard.call(WRITE, async || Ok(()));
    let close = async {
        sleep(SECOND / 2).await;
        guard.close(SECOND * 5).await
    };
    let (under_way, waiting, closed) = tokio::join!(under_way, waiting, close);
    under_way.unwrap();
    assert_eq!(waiting.unwrap_err().kind(), ErrorKind::Closed);
    assert!(closed && guard.is_closed());
    let error = guard.call(WRITE, async || Ok(())).await.unwrap_err();
    assert_eq!(error.to_string(), "redis h:1: SET: the adapter is closed");
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_ever() {
    let guard = guard(CallOptions::default());
    let call = timeout(SECOND * 4, guard.call(WRITE, pending::<Result<(), _>>));
    let (_, closed) = tokio::join!(call, guard.close(SECOND));
    assert!(!closed);
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn call_ended(&self, report: &CallReport<'_>) {
        let CallReport { service, target, operation, attempts, taken, result, .. } = report;
        let result = result.map_err(Error::kind);
        let text = format!("{service} {target} {operation} x{attempts} {taken:?} {result:?}");
        self.0.lock().unwrap().push(text);
    }

    fn call_cancelled(&self, cancelled: &Cancelled<'_>) {
        let Cancelled { operation, attempts, taken, .. } = cancelled;
        self.0.lock().unwrap().push(format!("{operation} x{attempts} given up after {taken:?}"));
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        let text = match event {
            ConnectionEvent::Connected { target, .. } => format!("connected to {target}"),
            ConnectionEvent::Lost { error, .. } => format!("lost: {error}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_hears_of_everything() {
    let seen = Arc::new(Seen::default());
    let observer: Arc<dyn Observer> = Arc::<Seen>::clone(&seen);
    let retry = RetryOptions { attempts_max: 1, ..RetryOptions::default() };
    let options = CallOptions { retry, ..CallOptions::default() };
    let guard = Guard::new("redis", "h:1".into(), options, Some(observer)).unwrap();
    guard.connected();
    guard.lost(&guard.placed(lost()));
    guard.call(READ, async || Ok(())).await.unwrap();
    let slow = async || {
        sleep(SECOND).await;
        Err::<(), _>(lost())
    };
    guard.call(READ, slow).await.unwrap_err();
    timeout(SECOND * 2, guard.call(READ, pending::<Result<(), _>>)).await.unwrap_err();
    assert_eq!(
        *seen.0.lock().unwrap(),
        [
            "connected to h:1",
            "lost: redis h:1: lost",
            "redis h:1 GET x1 0ns Ok(())",
            "redis h:1 GET x1 1s Err(Disconnected)",
            "GET x1 given up after 2s",
        ]
    );
    let stats = guard.stats();
    assert_eq!((stats.connected, stats.lost, stats.call_micros), (1, 1, 1_000_000));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_to_be_left_alone_is() {
    let started = Instant::now();
    let guard = guard(CallOptions::default());
    let busy = |wait| Error::new(ErrorKind::Server, "later").transient(true).with_retry_after(wait);
    let attempts = Cell::new(0);
    let later = async || {
        attempts.set(attempts.get() + 1);
        if attempts.get() == 1 { Err(busy(Some(SECOND * 7))) } else { Ok(started.elapsed()) }
    };
    assert!(guard.call(READ, later).await.unwrap() >= SECOND * 7);
    let too_late = async || Err::<(), _>(busy(Some(SECOND * 16)));
    guard.call(READ, too_late).await.unwrap_err();
    assert_eq!(guard.stats().repeated, 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_again_end_with_their_budget() {
    let budget = RetryBudget { percent_max: 50, reserve: 3 };
    let options = CallOptions::default();
    let guard = Guard::with_budget("redis", "h:1".into(), options, None, Some(budget)).unwrap();
    for expected in [2, 3, 4, 4, 5, 5] {
        guard.call(READ, async || Err::<(), _>(lost())).await.unwrap_err();
        assert_eq!(guard.stats().repeated, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_is_kept_for_an_answer_that_goes_on() {
    let guard = guard(CallOptions { calls_max: 1, waiting_max: 0, ..CallOptions::default() });
    let (answer, kept) = guard.begin(READ, async || Ok(7)).await.unwrap();
    assert_eq!((answer, guard.stats().calls, guard.stats().succeeded), (7, 1, 1));
    let busy = guard.call(READ, async || Ok(())).await.unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    drop(kept);
    let (_, kept) = guard.begin(READ, async || Ok(())).await.unwrap();
    assert!(!guard.close(SECOND).await);
    let (closed, ()) = tokio::join!(guard.close(SECOND), async {
        sleep(SECOND / 2).await;
        drop(kept);
    });
    assert!(closed);
}

#[tokio::test(start_paused = true)]
async fn calls_that_belong_together_are_made_in_one_place() {
    let guard = guard(CallOptions { calls_max: 1, waiting_max: 0, ..CallOptions::default() });
    let ((), kept) = guard.begin(READ, async || Ok(())).await.unwrap();
    assert_eq!(kept.call(READ, async { Ok(7) }).await.unwrap(), 7);
    let error = kept.call(READ, async { Err::<(), _>(lost()) }).await.unwrap_err();
    assert_eq!(error.to_string(), "redis h:1: GET: lost");
    let late = kept.call(READ.within(SECOND / 2), pending::<Result<(), Error>>());
    assert_eq!(late.await.unwrap_err().to_string(), "redis h:1: GET: no answer within 500ms");
    let stats = guard.stats();
    assert_eq!((stats.succeeded, stats.repeated, stats.calls), (2, 0, 1));
    assert_eq!(stats.failed.values().sum::<u64>(), 2);
}

#[tokio::test(start_paused = true)]
async fn closing_is_at_once_when_those_that_waited_are_sent_away() {
    let guard = guard(CallOptions { calls_max: 1, ..CallOptions::default() });
    let mut held = Box::pin(guard.call(WRITE, pending::<Result<(), _>>));
    assert!(timeout(Duration::ZERO, &mut held).await.is_err());
    let mut waits = Box::pin(guard.call(WRITE, async || Ok(())));
    assert!(timeout(Duration::ZERO, &mut waits).await.is_err());
    // The place goes to the one that waits, who does not look before it is closed.
    drop(held);
    let started = Instant::now();
    let (closed, waited) = tokio::join!(guard.close(SECOND), waits);
    assert!(closed);
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn closing_is_at_once_when_a_caller_waits_for_the_next_attempt() {
    let minute = Backoff { first: SECOND * 60, max: SECOND * 60 };
    let retry = RetryOptions { attempts_max: 3, backoff: minute };
    let options = CallOptions { retry, call_timeout: SECOND * 600, ..CallOptions::default() };
    let guard = guard(options);
    let attempts = Cell::new(0);
    let call = guard.call(READ, async || {
        attempts.set(attempts.get() + 1);
        Err::<(), _>(lost())
    });
    let close = async {
        sleep(SECOND).await;
        guard.close(SECOND).await
    };
    let (result, closed) = tokio::join!(call, close);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Disconnected);
    assert!(closed);
    assert_eq!(attempts.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_may_have_done_is_not_forgotten() {
    let attempts = Cell::new(0);
    let error = guard(CallOptions::default())
        .call(READ, async || {
            attempts.set(attempts.get() + 1);
            Err::<(), _>(if attempts.get() == 1 { lost() } else { unreachable() })
        })
        .await
        .unwrap_err();
    assert_eq!((error.kind(), attempts.get()), (ErrorKind::Unreachable, 3));
    assert!(error.outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_opens_between_attempts_does_not_hide_why() {
    let breaker = BreakerOptions { failures_max: 1, open_for: SECOND * 60 };
    let guard = guard(CallOptions { breaker, ..CallOptions::default() });
    let no = async || Err::<(), _>(unreachable());
    let error = guard.call(READ, no).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(guard.stats().repeated, 0);
    let error = guard.call(READ, no).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert!(error.is_transient() && error.retry_after().is_some_and(|wait| wait > SECOND * 59));
}

#[tokio::test(start_paused = true)]
async fn little_patience_says_nothing_of_the_service_but_many_who_give_up_do() {
    let breaker = BreakerOptions { failures_max: 3, open_for: SECOND };
    let guard = guard(CallOptions { breaker, ..CallOptions::default() });
    for _ in 0..10 {
        let call = guard.call(WRITE.within(SECOND / 10), pending::<Result<(), _>>);
        assert_eq!(call.await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(timeout(SECOND, guard.call(WRITE, pending::<Result<(), _>>)).await.is_err());
    }
    assert!(!guard.stats().circuit_open);
    for _ in 0..3 {
        assert!(timeout(SECOND * 3, guard.call(WRITE, pending::<Result<(), _>>)).await.is_err());
    }
    assert!(guard.stats().circuit_open);
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_its_own_time_and_nothing_was_carried_out_before() {
    let options = CallOptions { connect_timeout: SECOND * 7, ..CallOptions::default() };
    let guard = guard(CallOptions { call_timeout: SECOND * 60, ..options });
    let started = Instant::now();
    let late = async || {
        sleep(SECOND * 6).await;
        Ok(1)
    };
    let request = async |connection: i32| {
        sleep(SECOND * 4).await;
        Ok(connection + 1)
    };
    assert_eq!(guard.call_over(WRITE, late, request).await.unwrap(), 2);
    assert_eq!(started.elapsed(), SECOND * 10);

    let never = async || pending::<Result<i32, _>>().await;
    let error = guard.call_over(WRITE, never, request).await.unwrap_err();
    assert_eq!(error.to_string(), "redis h:1: SET: no connection within 7s");
    assert!(!error.outcome_unknown());
    assert_eq!((guard.stats().repeated, guard.stats().lost), (2, 3));
    let broken = async || Err::<i32, _>(lost());
    assert!(!guard.call_over(WRITE, broken, request).await.unwrap_err().outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn what_comes_to_its_place_too_late_is_not_sent() {
    let options = CallOptions { calls_max: 1, call_timeout: SECOND * 5, ..CallOptions::default() };
    let guard = guard(options);
    let first = guard.call(WRITE, async || {
        sleep(SECOND * 5 - SECOND / 100).await;
        Ok(())
    });
    let sent = Cell::new(false);
    let second = guard.call(WRITE, async || {
        sent.set(true);
        Ok(())
    });
    let (first, second) = tokio::join!(first, second);
    first.unwrap();
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Busy);
    assert!(!sent.get());
}

/// Callers on any thread can wait for it.
#[test]
fn a_call_can_be_sent() {
    fn check(_: impl Send) {}
    let guard = guard(CallOptions::default());
    check(guard.call(READ, || ready(Ok(()))));
}

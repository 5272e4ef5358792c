//! Requests: each gets its own answer or learns why there is none, whoever dies or gives up meanwhile.

use crate::support::{all, builder, client, clients, daemon};
use futures_util::StreamExt;
use rustix::process::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use workyard_channel::{ChannelClient, Error, ErrorKind, Event};
use workyard_tests::clients::{address, event, until, within};
use workyard_tests::{ChannelWire, Daemon, Program, Running, Setup};

const LONG: Duration = Duration::from_secs(600);

/// Answers every number with its double until it is aborted. Counts what it was asked.
async fn double(client: &ChannelClient, asked: &Arc<AtomicU64>) -> JoinHandle<()> {
    let responder = client.serve("double").await.unwrap();
    let asked = Arc::clone(asked);
    tokio::spawn(responder.for_each_concurrent(64, move |question| {
        asked.fetch_add(1, Ordering::Relaxed);
        async move {
            let number: u64 = question.decode().unwrap();
            match question.answer(&(number * 2)).await {
                Err(error) if error.kind() != ErrorKind::TooLate => panic!("{error}"),
                _ => {}
            }
        }
    }))
}

async fn ask(client: &ChannelClient, number: u64) -> Result<u64, Error> {
    client.request("double", &number, LONG).await?.decode()
}

/// A process that takes a request, says so, and never gets it done.
fn stuck_responder(daemon: &Daemon<ChannelWire>) -> Running {
    let address = address(daemon).to_string();
    let serve = ["serve", "double", "--server", &address, "--json"];
    let work = ["--", "sh", "-c", "echo begun >&2; exec sleep 60"];
    let responder = Program::built("workyard").arguments(serve).arguments(work).start();
    responder.stdout().expect("serving");
    responder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_of_eight_clients_get_their_own_answers() {
    const ASKERS: u64 = 8;
    const REQUESTS: u64 = 1250;
    let daemon = daemon();
    let asked: [Arc<AtomicU64>; 4] = Default::default();
    let responders = clients(&daemon, asked.len()).await;
    for (client, asked) in responders.iter().zip(&asked) {
        double(client, asked).await;
    }
    let askers = clients(&daemon, ASKERS as usize).await;
    let asking = askers.iter().zip(0..).map(|(client, asker)| async move {
        let numbers = asker * REQUESTS..(asker + 1) * REQUESTS;
        let checks = futures_util::stream::iter(numbers).map(|number| async move {
            assert_eq!(ask(client, number).await.unwrap(), number * 2);
        });
        checks.buffer_unordered(50).count().await as u64
    });
    let answered: u64 = within(all(asking)).await.into_iter().sum();
    let asked = asked.map(|asked| asked.load(Ordering::Relaxed));
    assert_eq!((answered, asked.iter().sum::<u64>()), (ASKERS * REQUESTS, ASKERS * REQUESTS));
    assert_eq!(asked, [ASKERS * REQUESTS / 4; 4], "each in its turn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_dropped_at_any_moment_mix_up_nothing() {
    const DROPPED: usize = 10_000;
    let daemon = daemon();
    let [asker, responder] = clients(&daemon, 2).await.try_into().unwrap();
    double(&responder, &Arc::default()).await;
    let (mut dropped, mut answered, mut number) = (0, 0, 0);
    while dropped < DROPPED {
        let calls = (0..100).map(|call| {
            let (asker, number) = (&asker, number + call);
            async move {
                // Counted in polls: a timer would wake up but once in a millisecond.
                let patience = match fastrand::u8(0..10) {
                    0 => u32::MAX,
                    1..3 => fastrand::u32(0..200),
                    _ => fastrand::u32(0..20),
                };
                let mut polls = 0;
                let request = std::pin::pin!(ask(asker, number));
                let giving_up = futures_util::future::poll_fn(|cx| {
                    polls += 1;
                    cx.waker().wake_by_ref();
                    if polls > patience {
                        std::task::Poll::Ready(())
                    } else {
                        std::task::Poll::Pending
                    }
                });
                tokio::select! {
                    biased;
                    answer = request => {
                        assert_eq!(answer.unwrap(), number * 2);
                        true
                    }
                    () = giving_up => false,
                }
            }
        });
        let outcomes = within(all(calls)).await;
        answered += outcomes.iter().filter(|answered| **answered).count();
        dropped += outcomes.iter().filter(|answered| !**answered).count();
        number += 100;
    }
    assert!(answered > 0, "some had the patience");
    for number in 0..100 {
        assert_eq!(within(ask(&asker, number)).await.unwrap(), number * 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_responder_that_is_killed_leaves_nobody_waiting() {
    const ROUNDS: u64 = 20;
    let daemon = daemon();
    let [asker, other] = clients(&daemon, 2).await.try_into().unwrap();
    for round in 0..ROUNDS {
        let mut stuck = stuck_responder(&daemon);
        let once = tokio::spawn({
            let asker = asker.clone();
            async move { ask(&asker, round).await }
        });
        stuck.stderr().expect("begun");
        // From here on there is another one, who has had no part in it.
        let asked = Arc::default();
        let responder = double(&other, &asked).await;
        let repeatable = asker.with_repeatable_requests();
        stuck.signal(Signal::KILL);
        let error = within(once).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unanswered, true));
        assert_eq!(asked.load(Ordering::Relaxed), 0, "what may not be repeated is not");
        assert_eq!(within(ask(&repeatable, round)).await.unwrap(), round * 2);
        stuck.kill();
        responder.abort();
        let nobody = || async {
            let kind = ask(&asker, 0).await.unwrap_err().kind();
            kind == ErrorKind::NoResponders
        };
        until("nobody serves", nobody).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeatable_request_is_done_by_another_when_its_responder_is_killed() {
    const ROUNDS: u64 = 20;
    let daemon = daemon();
    let [asker, other] = clients(&daemon, 2).await.try_into().unwrap();
    let asker = asker.with_repeatable_requests();
    for round in 0..ROUNDS {
        let mut stuck = stuck_responder(&daemon);
        let asking = tokio::spawn({
            let asker = asker.clone();
            async move { ask(&asker, round).await }
        });
        stuck.stderr().expect("begun");
        let mut responder = other.serve("double").await.unwrap();
        stuck.signal(Signal::KILL);
        let question = within(responder.next()).await.unwrap();
        assert_eq!((question.attempt(), question.decode::<u64>().unwrap()), (2, round));
        assert!(question.time_left() > LONG / 2);
        question.answer(&(round * 2)).await.unwrap();
        assert_eq!(within(asking).await.unwrap().unwrap(), round * 2);
        responder.close().await.unwrap();
        stuck.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_too_late_is_told_to_be() {
    let daemon = daemon();
    let [asker, other] = clients(&daemon, 2).await.try_into().unwrap();
    let mut responder = other.serve("double").await.unwrap();
    let patience = Duration::from_millis(300);
    let begun = Instant::now();
    let error = asker.request("double", &1, patience).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true));
    assert!(begun.elapsed() >= patience);
    let question = within(responder.next()).await.unwrap();
    let late = || async { question.time_left() == Duration::ZERO };
    until("its time is up", late).await;
    assert_eq!(question.answer(&2).await.unwrap_err().kind(), ErrorKind::TooLate);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_fail_and_responders_serve_on_when_the_server_is_killed() {
    let mut daemon = daemon();
    let asker = client(&daemon).await;
    let other = client(&daemon).await;
    let mut events = other.events();
    let mut responder = other.serve("double").await.unwrap();
    let asking = tokio::spawn({
        let asker = asker.clone();
        async move { ask(&asker, 1).await }
    });
    let lost = within(responder.next()).await.unwrap();
    daemon.kill();
    let error = within(asking).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    daemon.start_again();
    event(&mut events, |event| matches!(event, Event::Connected { .. }).then_some(())).await;
    other.ping().await.unwrap();
    let asking = tokio::spawn(async move { ask(&asker, 2).await });
    let question = within(responder.next()).await.unwrap();
    assert_eq!(lost.id(), question.id(), "numbers begin anew");
    assert_eq!(lost.answer(&0).await.unwrap_err().kind(), ErrorKind::TooLate);
    question.answer(&4).await.unwrap();
    assert_eq!(within(asking).await.unwrap().unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responders_with_enough_to_do_are_spared() {
    let daemon = Setup::<ChannelWire>::new().flag("--questions-per-responder-max", "2").start();
    let [asker, other] = clients(&daemon, 2).await.try_into().unwrap();
    let mut responder = other.serve("double").await.unwrap();
    let asking = [1, 2].map(|number| {
        let asker = asker.clone();
        tokio::spawn(async move { ask(&asker, number).await })
    });
    let held = [within(responder.next()).await.unwrap(), within(responder.next()).await.unwrap()];
    let error = within(ask(&asker, 3)).await.unwrap_err();
    assert_eq!(error.reason(), Some(workyard_channel::Reason::RespondersBusy));
    assert!(!error.outcome_unknown());
    for question in held {
        let number: u64 = question.decode().unwrap();
        question.answer(&(number * 2)).await.unwrap();
    }
    for (asking, number) in asking.into_iter().zip([1, 2]) {
        assert_eq!(within(asking).await.unwrap().unwrap(), number * 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asker_that_does_not_read_gets_all_its_answers_when_it_does() {
    const REQUESTS: u64 = 200;
    let daemon = Setup::<ChannelWire>::new().flag("--write-buffer-bytes-max", "64KiB").start();
    let other = client(&daemon).await;
    let responder = other.serve("echo").await.unwrap();
    tokio::spawn(responder.for_each_concurrent(16, async |question| {
        let value = question.value().clone();
        question.answer_value(&value).await.unwrap();
    }));
    let asker = builder(&daemon).connect().await.unwrap();
    let text = "x".repeat(50_000);
    let asking = (0..REQUESTS).map(|number| {
        let (asker, text) = (&asker, format!("{number}{text}"));
        async move {
            let answer = loop {
                match asker.request("echo", &text, LONG).await {
                    // The responder's buffer is as small as the asker's, and it takes turns with us.
                    Err(error) if error.kind() == ErrorKind::Refused => {
                        assert!(error.to_string().contains("does not read"), "{error}");
                        tokio::task::yield_now().await;
                    }
                    answer => break answer.unwrap(),
                }
            };
            assert_eq!(answer.decode::<String>().unwrap(), text);
        }
    });
    within(all(asking)).await;
    // Nothing of it is left to be counted against anybody.
    let again = timeout(LONG, asker.request("echo", "x", LONG)).await.unwrap();
    assert_eq!(again.unwrap().decode::<String>().unwrap(), "x");
}

//! Jobs are handed out once, kept until acknowledged, and never lost.

use std::collections::BTreeSet;
use workyard_protocol::channel::{self, Push, QueueStats, Reply};
use workyard_protocol::{NO_REPLY, Reason, ToClient};
use workyard_tests::words::{
    ack, cancel, consume, enqueue, enqueued, job, nack, publish, published, queue, queues,
    subscribe,
};
use workyard_tests::{ChannelPeer, ChannelWire, Daemon, Frame, Setup, eventually};

fn daemon() -> Daemon<ChannelWire> {
    Setup::new().start()
}

/// A page of queues without their ages.
#[track_caller]
fn stats(peer: &mut ChannelPeer, prefix: &str) -> Vec<(String, u64, u64, u32)> {
    let frame = peer.answer(queues(prefix));
    let entries = match frame.decode::<ChannelWire>() {
        ToClient::Reply(_, Reply::Queues { cursor: 0, queues }) => queues,
        other => panic!("expected the only page of queues, got {other:?}"),
    };
    let mut entries: Vec<_> = entries
        .iter()
        .map(|stats| (stats.queue.to_string(), stats.ready, stats.leased, stats.consumers))
        .collect();
    entries.sort();
    entries
}

/// The numbers of jobs that were handed out.
fn jobs(frames: &[Frame]) -> Vec<u64> {
    let number = |frame: &Frame| match frame.decode::<ChannelWire>() {
        ToClient::Push(Push::Job { job, .. }) => job,
        other => panic!("expected a job, got {other:?}"),
    };
    frames.iter().map(number).collect()
}

#[test]
fn jobs_come_in_order_and_no_more_at_once_than_asked_for() {
    let daemon = daemon();
    let mut producer = daemon.peer();
    for (number, value) in (1..).zip([b"a", b"b", b"c", b"d"]) {
        producer.ask(enqueue("q", value), enqueued(number));
    }
    let mut consumer = daemon.peer();
    consumer.ask(consume("q", 2), Reply::Done);
    consumer.expect_push(job("q", 1, 1, 1, b"a"));
    consumer.expect_push(job("q", 2, 1, 2, b"b"));
    consumer.expect_silence();
    consumer.ask(ack(2), Reply::Done);
    consumer.expect_push(job("q", 3, 1, 3, b"c"));
    consumer.expect_silence();
    // A higher prefetch brings the next.
    consumer.ask(consume("q", 3), Reply::Done);
    consumer.expect_push(job("q", 4, 1, 4, b"d"));
    for number in [1, 3, 4] {
        consumer.ask(ack(number), Reply::Done);
    }
    consumer.expect_silence();
    assert_eq!(stats(&mut producer, ""), [("q".to_owned(), 0, 0, 1)]);
}

#[test]
fn a_job_goes_to_whoever_waits_for_it() {
    let daemon = daemon();
    let mut consumers = [daemon.peer(), daemon.peer()];
    for consumer in &mut consumers {
        consumer.ask(consume("q", 2), Reply::Done);
    }
    let mut producer = daemon.peer();
    for number in 1..=5 {
        producer.ask(enqueue("q", b"x"), enqueued(number));
    }
    let [one, two] = consumers.each_mut().map(|consumer| jobs(&consumer.receive_all()));
    assert_eq!((one, two), (vec![1, 3], vec![2, 4]));
    assert_eq!(stats(&mut producer, ""), [("q".to_owned(), 1, 4, 2)]);
}

#[test]
fn who_enqueues_and_consumes_sees_the_receipt_first() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(consume("q", 1), Reply::Done);
    peer.ask(enqueue("q", b"x"), enqueued(1));
    peer.expect_push(job("q", 1, 1, 1, b"x"));
    peer.send(NO_REPLY, enqueue("q", b"y"));
    peer.send(NO_REPLY, ack(1));
    peer.expect_push(job("q", 2, 1, 2, b"y"));
    peer.expect_silence();
}

#[test]
fn the_jobs_of_a_consumer_that_dies_go_back_to_the_head() {
    let daemon = daemon();
    let mut producer = daemon.peer();
    for number in 1..=4 {
        producer.ask(enqueue("q", b"x"), enqueued(number));
    }
    let mut dying = daemon.peer();
    dying.ask(consume("q", 2), Reply::Done);
    assert_eq!(jobs(&dying.receive_all()), [1, 2]);
    drop(dying);
    eventually("the jobs are back", || stats(&mut producer, "q") == [("q".to_owned(), 4, 0, 0)]);
    let mut next = daemon.peer();
    next.ask(consume("q", 10), Reply::Done);
    for (number, attempt, lease) in [(1, 2, 3), (2, 2, 4), (3, 1, 5), (4, 1, 6)] {
        next.expect_push(job("q", number, attempt, lease, b"x"));
    }
    next.expect_silence();
}

#[test]
fn a_job_that_is_given_back_comes_again_until_it_is_set_aside() {
    let setup = Setup::<ChannelWire>::new().flag("--job-attempts-max", "3");
    let daemon = setup.start();
    let mut peer = daemon.peer();
    peer.ask(enqueue("q", b"bad"), enqueued(1));
    peer.ask(enqueue("q", b"good"), enqueued(2));
    peer.ask(consume("q", 1), Reply::Done);
    for attempt in 1..=3_u32 {
        let lease = attempt.into();
        peer.expect_push(job("q", 1, attempt, lease, b"bad"));
        peer.ask(nack(lease), Reply::Done);
    }
    peer.expect_push(job("q", 2, 1, 4, b"good"));
    peer.ask_refused(nack(1), Reason::UnknownJob);
    peer.ask(consume("q.dead", 1), Reply::Done);
    peer.expect_push(job("q.dead", 1, 4, 5, b"bad"));
    peer.expect_silence();
}

#[test]
fn the_jobs_of_a_consumer_that_dies_reach_one_that_waits() {
    let daemon = daemon();
    let mut dying = daemon.peer();
    dying.ask(consume("q", 2), Reply::Done);
    let mut waiting = daemon.peer();
    for number in 1..=2 {
        waiting.ask(enqueue("q", b"x"), enqueued(number));
    }
    assert_eq!(jobs(&dying.receive_all()), [1, 2]);
    waiting.ask(consume("q", 10), Reply::Done);
    waiting.expect_silence();
    drop(dying);
    waiting.expect_push(job("q", 1, 2, 3, b"x"));
    waiting.expect_push(job("q", 2, 2, 4, b"x"));
    waiting.expect_silence();
}

#[test]
fn only_the_holder_can_finish_a_job_and_only_once() {
    let daemon = daemon();
    let mut holder = daemon.peer();
    holder.ask(enqueue("q", b"x"), enqueued(1));
    let mut other = daemon.peer();
    other.ask_refused(ack(1), Reason::UnknownJob);
    holder.ask(consume("q", 1), Reply::Done);
    holder.expect_push(job("q", 1, 1, 1, b"x"));
    other.ask_refused(ack(1), Reason::UnknownJob);
    holder.ask(ack(1), Reply::Done);
    holder.ask_refused(ack(1), Reason::UnknownJob);
}

#[test]
fn who_cancels_keeps_what_it_holds_and_gets_no_more() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    for number in 1..=2 {
        peer.ask(enqueue("q", b"x"), enqueued(number));
    }
    peer.ask(consume("q", 1), Reply::Done);
    peer.expect_push(job("q", 1, 1, 1, b"x"));
    peer.ask(cancel("q"), Reply::Done);
    assert_eq!(stats(&mut peer, ""), [("q".to_owned(), 1, 1, 0)]);
    peer.ask(ack(1), Reply::Done);
    peer.expect_silence();
    peer.ask_refused(cancel("q"), Reason::NotConsuming);
    assert_eq!(stats(&mut peer, ""), [("q".to_owned(), 1, 0, 0)]);
}

#[test]
fn queues_are_listed_by_prefix_and_page() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    for name in ["mail.in", "mail.out", "print"] {
        peer.send(NO_REPLY, enqueue(name, b"x"));
    }
    let entry = |name: &str| (name.to_owned(), 1, 0, 0);
    assert_eq!(stats(&mut peer, ""), [entry("mail.in"), entry("mail.out"), entry("print")]);
    assert_eq!(stats(&mut peer, "mail."), [entry("mail.in"), entry("mail.out")]);
    assert_eq!(stats(&mut peer, "mail.in.box"), []);
    let mut seen = BTreeSet::new();
    let mut cursor = 0;
    loop {
        let frame = peer.answer(channel::Request::Queues(channel::Queues {
            prefix: b"",
            cursor,
            limit: 1,
        }));
        let ToClient::Reply(_, Reply::Queues { cursor: next, queues }) =
            frame.decode::<ChannelWire>()
        else {
            panic!("expected a page");
        };
        assert!(queues.len() <= 1);
        for stats in queues {
            assert!(seen.insert(stats.queue.to_string()), "{} twice", stats.queue);
        }
        if next == 0 {
            break;
        }
        cursor = next;
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn the_age_of_the_oldest_job_is_told_and_an_empty_queue_is_forgotten() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(enqueue("q", b"x"), enqueued(1));
    eventually("it grows older", || {
        let frame = peer.answer(queues("q"));
        let ToClient::Reply(_, Reply::Queues { queues, .. }) = frame.decode::<ChannelWire>() else {
            panic!("expected a page");
        };
        let [QueueStats { queue: name, oldest_ms, .. }] = queues[..] else {
            panic!("expected one queue, got {queues:?}");
        };
        name == queue("q") && oldest_ms >= 20
    });
    peer.ask(consume("q", 1), Reply::Done);
    peer.expect_push(job("q", 1, 1, 1, b"x"));
    peer.ask(ack(1), Reply::Done);
    peer.ask(cancel("q"), Reply::Done);
    assert_eq!(stats(&mut peer, ""), []);
}

#[test]
fn a_full_queue_refuses_and_keeps_what_it_has() {
    let daemon = Setup::<ChannelWire>::new().flag("--queue-jobs-max", "2").start();
    let mut peer = daemon.peer();
    for number in 1..=2 {
        peer.ask(enqueue("q", b"x"), enqueued(number));
    }
    let refusal = peer.ask_refused(enqueue("q", b"x"), Reason::LimitReached);
    assert!(refusal.text.contains("queue_jobs_max"), "{refusal}");
    peer.ask(enqueue("other", b"x"), enqueued(3));
    assert_eq!(stats(&mut peer, ""), [("other".to_owned(), 1, 0, 0), ("q".to_owned(), 2, 0, 0)]);
}

#[test]
fn a_consumer_that_does_not_read_leaves_jobs_to_others_and_loses_none() {
    const JOBS: u64 = 200;
    let value = vec![b'j'; 100_000];
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let before = daemon.memory_peak_bytes();
    let mut stalled = daemon.narrow_peer();
    stalled.ask(consume("q", 65_535), Reply::Done);
    let mut producer = daemon.peer();
    for number in 1..=JOBS {
        producer.ask(enqueue("q", &value), enqueued(number));
    }
    let (ready, leased) = match stats(&mut producer, "q").as_slice() {
        [(_, ready, leased, 1)] => (*ready, *leased),
        other => panic!("expected one queue, got {other:?}"),
    };
    assert_eq!(ready + leased, JOBS);
    assert!(ready > JOBS / 2, "{leased} jobs wait for somebody who does not read");
    let mut other = daemon.peer();
    other.ask(consume("q", 65_535), Reply::Done);
    let first = (0..ready).map(|_| jobs(&[other.receive()])[0]);
    assert!(first.eq(leased + 1..=JOBS), "the rest, in order");
    drop(stalled);
    let back = (0..leased).map(|_| jobs(&[other.receive()])[0]);
    assert!(back.eq(1..=leased), "what the other one held, in order");
    other.expect_silence();
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for 20 MB of jobs");
}

#[test]
fn queues_and_channels_of_one_name_have_nothing_to_do_with_each_other() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(subscribe(workyard_tests::words::channel("same")), Reply::Done);
    peer.ask(enqueue("same", b"x"), enqueued(1));
    peer.expect_silence();
    daemon.peer().ask(publish("same", b"m"), published(1));
    assert_eq!(stats(&mut daemon.peer(), ""), [("same".to_owned(), 1, 0, 0)]);
}

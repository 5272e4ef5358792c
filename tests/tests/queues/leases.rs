//! A lease that is over is over: the job is another one's, and a late word is refused.

use std::collections::BTreeSet;
use workyard_protocol::channel::{Push, Reply};
use workyard_protocol::{Reason, ToClient};
use workyard_tests::words::{ack, consume, enqueue, enqueued, nack, renew};
use workyard_tests::{ChannelPeer, ChannelWire, Daemon, Setup, eventually};

/// Jobs are leased for so long.
fn daemon(lease_ms: &str) -> Daemon<ChannelWire> {
    Setup::new().flag("--queue-lease-ms", lease_ms).start()
}

/// The number of the next job, how often it was handed out, its lease, and how long that lasts.
#[track_caller]
fn job(peer: &mut ChannelPeer) -> (u64, u32, u64, u32) {
    let frame = peer.receive();
    match frame.decode::<ChannelWire>() {
        ToClient::Push(Push::Job { job, attempt, lease, lease_ms, .. }) => {
            (job, attempt, lease, lease_ms)
        }
        other => panic!("expected a job, got {other:?}"),
    }
}

#[test]
fn a_job_that_nobody_renews_is_the_next_ones_and_a_late_ack_is_refused() {
    let daemon = daemon("150");
    let (mut late, mut next) = (daemon.peer(), daemon.peer());
    late.ask(consume("q", 1), Reply::Done);
    late.ask(enqueue("q", b"x"), enqueued(1));
    assert_eq!(job(&mut late), (1, 1, 1, 150));
    next.ask(consume("q", 1), Reply::Done);
    assert_eq!(job(&mut next), (1, 2, 2, 150));
    for refused in [ack(1), nack(1), ack(2)] {
        let refusal = late.ask_refused(refused, Reason::UnknownJob);
        assert!(refusal.text.contains("is over, or was never this session's"), "{refusal}");
    }
    late.ask(renew(&[1, 2]), Reply::Renewed { lost: vec![1, 2] });
    next.ask(ack(2), Reply::Done);
    next.ask_refused(ack(2), Reason::UnknownJob);
    late.expect_silence();
}

#[test]
fn a_job_that_is_renewed_stays_with_its_consumer() {
    let daemon = daemon("400");
    let (mut holder, mut next) = (daemon.peer(), daemon.peer());
    holder.ask(consume("q", 1), Reply::Done);
    holder.ask(enqueue("q", b"x"), enqueued(1));
    assert_eq!(job(&mut holder), (1, 1, 1, 400));
    next.ask(consume("q", 1), Reply::Done);
    let began = std::time::Instant::now();
    eventually("three leases have passed", || {
        holder.ask(renew(&[1]), Reply::Renewed { lost: vec![] });
        began.elapsed().as_millis() > 1200
    });
    next.expect_silence();
    holder.ask(ack(1), Reply::Done);
}

#[test]
fn without_a_deadline_a_job_is_held_as_long_as_the_connection() {
    let daemon = daemon("0");
    let mut holder = daemon.peer();
    holder.ask(consume("q", 1), Reply::Done);
    holder.ask(enqueue("q", b"x"), enqueued(1));
    assert_eq!(job(&mut holder), (1, 1, 1, 0));
    holder.ask(renew(&[1]), Reply::Renewed { lost: vec![] });
    let mut next = daemon.peer();
    next.ask(consume("q", 1), Reply::Done);
    next.expect_silence();
    drop(holder);
    assert_eq!(job(&mut next), (1, 2, 2, 0));
}

#[test]
fn thousands_of_leases_that_run_out_together_all_come_back_once() {
    const JOBS: u64 = 3000;
    let daemon = daemon("500");
    let mut stuck = daemon.peer();
    for number in 1..=JOBS {
        stuck.ask(enqueue("q", b"x"), enqueued(number));
    }
    stuck.ask(consume("q", 65_535), Reply::Done);
    for number in 1..=JOBS {
        assert_eq!(job(&mut stuck), (number, 1, number, 500));
    }
    let mut next = daemon.peer();
    next.ask(consume("q", 65_535), Reply::Done);
    let mut back = BTreeSet::new();
    for _ in 0..JOBS {
        let (number, attempt, lease, _) = job(&mut next);
        assert!(attempt == 2 && lease > JOBS && back.insert(number), "{number}");
    }
    stuck.ask_refused(ack(JOBS), Reason::UnknownJob);
}

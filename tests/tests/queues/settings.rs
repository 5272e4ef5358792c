//! Delays, priorities, ids and settings over the wire.

use workyard_protocol::channel::{
    Backoff, Cause, Configure, Dead, DeadJob, Enqueue, Nack, NackReason, PublisherId, Push,
    QueueSettings, Redrive, Remove, Reply, Request,
};
use workyard_protocol::{Delay, Reason, ToClient, ValueRef};
use workyard_tests::words::{ack, consume, enqueue, enqueued, queue};
use workyard_tests::{ChannelPeer, ChannelWire, Daemon, Setup, eventually};

fn daemon() -> Daemon<ChannelWire> {
    Setup::new().start()
}

fn delay(millis: u64) -> Delay {
    Delay::from_millis(millis).expect("a short one")
}

fn later(millis: u64) -> Request<'static> {
    let plain = Enqueue::new(queue("q"), ValueRef::Int(7));
    Request::Enqueue(Enqueue { delay: delay(millis), ..plain })
}

/// The number of the next job, how often it was handed out, and its lease.
#[track_caller]
fn job(peer: &mut ChannelPeer) -> (u64, u32, u64) {
    let frame = peer.receive();
    match frame.decode::<ChannelWire>() {
        ToClient::Push(Push::Job { job, attempt, lease, .. }) => (job, attempt, lease),
        other => panic!("expected a job, got {other:?}"),
    }
}

#[test]
fn delayed_jobs_come_in_the_order_in_which_they_are_due() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(consume("q", 9), Reply::Done);
    peer.ask(later(300), enqueued(1));
    peer.ask(later(100), enqueued(2));
    peer.ask(enqueue("q", b"now"), enqueued(3));
    let began = std::time::Instant::now();
    assert_eq!([job(&mut peer).0, job(&mut peer).0], [3, 2]);
    assert!(began.elapsed().as_millis() >= 50);
    assert_eq!(job(&mut peer).0, 1);
    assert!(began.elapsed().as_millis() >= 250);
}

#[test]
fn a_job_of_an_id_is_stored_once_also_when_its_publisher_comes_again() {
    let daemon = daemon();
    let once = || {
        let id = PublisherId::new("order-17").ok();
        Request::Enqueue(Enqueue { id, ..Enqueue::new(queue("q"), ValueRef::Int(7)) })
    };
    daemon.peer().ask(once(), enqueued(1));
    daemon.peer().ask(once(), Reply::Enqueued { job: 1, duplicate: true });
    let mut peer = daemon.peer();
    peer.ask(consume("q", 9), Reply::Done);
    let (_, _, lease) = job(&mut peer);
    peer.ask(ack(lease), Reply::Done);
    peer.ask(once(), Reply::Enqueued { job: 1, duplicate: true });
    peer.expect_silence();
}

#[test]
fn a_job_goes_its_whole_way_through_backoff_and_death_and_back() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let settings = QueueSettings {
        attempts_max: Some(2),
        backoff: Some(Backoff::Fixed(delay(100))),
        ..QueueSettings::default()
    };
    peer.ask(Request::Configure(Configure { queue: queue("q"), settings }), Reply::Done);
    peer.ask(enqueue("q", b"bad"), enqueued(1));
    peer.ask(consume("q", 1), Reply::Done);
    for attempt in 1..=2 {
        let (number, of, lease) = job(&mut peer);
        assert_eq!((number, of), (1, attempt));
        let reason = NackReason::new("no route").ok();
        peer.ask(Request::Nack(Nack { lease, delay: None, reason }), Reply::Done);
    }
    peer.expect_silence();
    let dead = || Request::Dead(Dead { queue: queue("q"), cursor: 0, limit: 10 });
    let frame = peer.answer(dead());
    let ToClient::Reply(_, Reply::Dead { cursor: 0, jobs }) = frame.decode::<ChannelWire>() else {
        panic!("expected the only page of dead letters");
    };
    let [DeadJob { job: 1, attempts: 2, cause: Cause::Nack, reason, size: 3, .. }] = jobs[..]
    else {
        panic!("expected one dead letter, got {jobs:?}");
    };
    assert_eq!(reason.map(NackReason::as_str), Some("no route"));
    let redrive = || Request::Redrive(Redrive { queue: queue("q"), cursor: 0, limit: 10 });
    peer.ask(redrive(), Reply::Counted { jobs: 1, cursor: 0 });
    let (number, attempt, lease) = job(&mut peer);
    assert_eq!((number, attempt), (1, 1));
    peer.ask(ack(lease), Reply::Done);
    peer.ask(redrive(), Reply::Counted { jobs: 0, cursor: 0 });
    peer.ask(dead(), Reply::Dead { cursor: 0, jobs: vec![] });
}

#[test]
fn a_job_that_is_removed_is_not_handed_out() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(later(150), enqueued(1));
    peer.ask(enqueue("q", b"x"), enqueued(2));
    let remove = |job| Request::Remove(Remove { queue: queue("q"), job });
    for number in [1, 2] {
        peer.ask(remove(number), Reply::Counted { jobs: 1, cursor: 0 });
        peer.ask(remove(number), Reply::Counted { jobs: 0, cursor: 0 });
    }
    peer.ask(later(150), enqueued(3));
    peer.ask(consume("q", 9), Reply::Done);
    let (number, _, lease) = job(&mut peer);
    assert_eq!(number, 3, "the first would have been due before");
    peer.ask_refused(remove(3), Reason::JobLeased);
    peer.ask(ack(lease), Reply::Done);
    eventually("it is gone", || {
        let frame = peer.answer(remove(3));
        matches!(
            frame.decode::<ChannelWire>(),
            ToClient::Reply(_, Reply::Counted { jobs: 0, cursor: 0 })
        )
    });
}

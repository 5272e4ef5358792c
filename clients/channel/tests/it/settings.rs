//! What is special about a job and a queue: delays, ids, settings, dead letters.

use crate::dialogue::{connected, grant, hear};
use crate::support::{FakeServer, Peer};
use std::time::Duration;
use workyard_channel::{Cause, Enqueued, ErrorKind, JobBackoff, QueueSettings, Reason};
use workyard_protocol::Delay;
use workyard_protocol::channel::{self, Backoff, DeadJob, NackReason, Reply, SettingsInForce};

async fn answer(peer: &mut Peer, expected: &str, reply: Reply<'_>) {
    let id = hear(peer, expected).await;
    peer.reply(id, reply).await;
}

#[tokio::test]
async fn a_new_job_says_what_is_special_about_it() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let job = client.new_job("q", "work").unwrap();
    let plain = answer(&mut peer, "enqueue q work", Reply::Enqueued { job: 7, duplicate: false });
    let (stored, ()) = tokio::join!(job.enqueue(), plain);
    assert_eq!(stored.unwrap(), Enqueued { job: 7, duplicate: false });
    let job = job.delay(Duration::from_micros(1500)).priority(9).id("x");
    let expected = "enqueue q work in 2 ms of 9 as Some(PublisherId([120]))";
    let special = answer(&mut peer, expected, Reply::Enqueued { job: 7, duplicate: true });
    let (stored, ()) = tokio::join!(job.enqueue(), special);
    assert_eq!(stored.unwrap(), Enqueued { job: 7, duplicate: true });
    for wrong in [job.clone().delay(Duration::MAX), job.id([0; 257])] {
        assert_eq!(wrong.enqueue().await.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[tokio::test]
async fn settings_are_given_and_asked_for() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let delay = |millis| Delay::from_millis(millis).unwrap();
    let wire = channel::QueueSettings {
        lease_ms: Some(1),
        attempts_max: Some(3),
        backoff: Some(Backoff::Exponential { first: delay(1000), max: delay(5000) }),
        dedup_window: Some(Delay::NONE),
        jobs_max: None,
        bytes_max: Some(9),
    };
    let settings = QueueSettings {
        lease: Some(Duration::from_nanos(1)),
        attempts_max: Some(3),
        backoff: Some(JobBackoff::Exponential {
            first: Duration::from_secs(1),
            max: Duration::from_secs(5),
        }),
        dedup_window: Some(Duration::ZERO),
        jobs_max: None,
        bytes_max: Some(9),
    };
    let expected = format!("configure q {wire:?}");
    let serving = grant(&mut peer, &expected);
    let (done, ()) = tokio::join!(client.configure_queue("q", &settings), serving);
    done.unwrap();
    let too_long = QueueSettings { lease: Some(Duration::MAX), ..settings };
    let error = client.configure_queue("q", &too_long).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);

    let in_force = SettingsInForce {
        lease_ms: 1,
        attempts_max: 3,
        backoff: Backoff::Fixed(delay(7)),
        dedup_window: delay(8),
        jobs_max: 10,
        bytes_max: 9,
    };
    let serving = answer(&mut peer, "settings q", Reply::Settings { own: wire, in_force });
    let (report, ()) = tokio::join!(client.queue_settings("q"), serving);
    let report = report.unwrap();
    assert_eq!(report.own, QueueSettings { lease: Some(Duration::from_millis(1)), ..settings });
    assert_eq!(report.in_force.backoff, Some(JobBackoff::Fixed(Duration::from_millis(7))));
    assert_eq!(report.in_force.jobs_max, Some(10));
}

#[tokio::test]
async fn dead_letters_are_listed_and_moved_to_the_last() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let dead = |job, reason| DeadJob {
        job,
        attempts: 3,
        cause: Cause::Nack,
        reason,
        age_ms: 1500,
        size: 8,
    };
    let reason = NackReason::new("no route").ok();
    let serving = async {
        let jobs = vec![dead(1, reason), dead(5, None)];
        answer(&mut peer, "dead q 0", Reply::Dead { cursor: 6, jobs }).await;
        answer(&mut peer, "dead q 6", Reply::Dead { cursor: 0, jobs: vec![] }).await;
        answer(&mut peer, "redrive q 0", Reply::Counted { jobs: 2, cursor: 7 }).await;
        answer(&mut peer, "redrive q 7", Reply::Counted { jobs: 1, cursor: 0 }).await;
    };
    let asking = async {
        let mut listed = Vec::new();
        let mut all = client.dead_jobs("q");
        while let Some(dead) = all.next().await.transpose().unwrap() {
            assert_eq!((dead.attempts, dead.cause, dead.age.as_millis()), (3, Cause::Nack, 1500));
            listed.push((dead.job, dead.reason));
        }
        assert_eq!(listed, [(1, Some("no route".to_owned())), (5, None)]);
        client.redrive("q").await.unwrap()
    };
    let (moved, ()) = tokio::join!(asking, serving);
    assert_eq!(moved, 3);
}

#[tokio::test]
async fn a_job_is_removed_or_not_there_or_held() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    for jobs in [1, 0] {
        let serving = answer(&mut peer, "remove q 7", Reply::Counted { jobs, cursor: 0 });
        let (removed, ()) = tokio::join!(client.remove_job("q", 7), serving);
        assert_eq!(removed.unwrap(), jobs == 1);
    }
    let serving = async {
        let id = hear(&mut peer, "remove q 7").await;
        peer.refuse(id, Reason::JobLeased).await;
    };
    let (removed, ()) = tokio::join!(client.remove_job("q", 7), serving);
    assert_eq!(removed.unwrap_err().reason(), Some(Reason::JobLeased));
}

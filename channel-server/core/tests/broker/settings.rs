//! Settings of a queue's own.

use crate::dialogue::{Dialogue, delay};
use workyard_channel_core::BrokerLimits;
use workyard_protocol::channel::{Backoff, QueueSettings, SettingsInForce};

const NONE: QueueSettings = QueueSettings {
    lease_ms: None,
    attempts_max: None,
    backoff: None,
    dedup_window: None,
    jobs_max: None,
    bytes_max: None,
};

#[test]
fn what_a_queue_has_not_is_as_the_server_has_it() {
    let mut talk = Dialogue::new();
    let server = SettingsInForce {
        lease_ms: 30_000,
        attempts_max: 10,
        backoff: Backoff::None,
        dedup_window: delay(300_000),
        jobs_max: 10_000_000,
        bytes_max: 1 << 30,
    };
    let text = format!("9: {NONE:?} in force {server:?}");
    talk.session(9).settings("q").sees([&*text]);
    let own = QueueSettings {
        lease_ms: Some(0),
        backoff: Some(Backoff::Fixed(delay(5))),
        jobs_max: Some(u64::MAX),
        ..NONE
    };
    talk.session(9).configures("q", own).done();
    let in_force = SettingsInForce { lease_ms: 0, backoff: Backoff::Fixed(delay(5)), ..server };
    let text = format!("9: {own:?} in force {in_force:?}");
    talk.session(9).settings("q").sees([&*text]);
}

#[test]
fn a_queue_with_settings_is_kept_until_it_has_none() {
    let mut talk = Dialogue::with(BrokerLimits { queues_max: 1, ..BrokerLimits::default() });
    let own = QueueSettings { attempts_max: Some(1), ..NONE };
    talk.session(9).configures("q", own).done();
    assert_eq!(talk.census().queues, 1);
    let refused = ["9: LimitReached: queues_max of 1 is reached"];
    talk.session(9).configures("r", own).sees(refused);
    talk.session(9).configures("r", NONE).done();
    talk.session(9).enqueues("q", "x").sees(["9: enqueued 1"]);
    talk.session(9).removes("q", 1).sees(["9: 1 jobs, next 0"]);
    assert_eq!(talk.census().queues, 1);
    talk.session(9).configures("q", NONE).done();
    assert_eq!(talk.census().queues, 0);
}

#[test]
fn each_queue_works_by_its_own_settings() {
    let mut talk = Dialogue::new();
    let own = QueueSettings { lease_ms: Some(100), attempts_max: Some(1), ..NONE };
    talk.session(9).configures("q", own).done();
    for queue in ["q", "r"] {
        talk.session(1).consumes(queue, 1).done();
        talk.session(9).enqueues(queue, "x").texts();
    }
    assert_eq!(talk.deadline(), Some(100));
    talk.wait(100);
    talk.expires().nothing();
    talk.session(9).lists_dead("q", 0, 9).sees(["9: 1 after 1 by Expiry () 0 ms ago; next 0"]);
    assert_eq!((talk.census().leased, talk.deadline()), (1, Some(30_000)));
}

#[test]
fn leases_that_have_begun_stay_as_they_are() {
    let mut talk = Dialogue::new();
    talk.session(1).consumes("q", 2).done();
    talk.session(9).enqueues("q", "x").texts();
    talk.session(9).configures("q", QueueSettings { lease_ms: Some(0), ..NONE }).done();
    talk.session(9).enqueues("q", "x").texts();
    talk.wait(10_000);
    talk.session(1).renews([1, 2]).sees(["1: renewed but for []"]);
    assert_eq!(talk.deadline(), Some(40_000));
}

#[test]
fn a_queue_has_bounds_of_its_own() {
    let mut talk = Dialogue::new();
    talk.session(9).configures("q", QueueSettings { jobs_max: Some(1), ..NONE }).done();
    let bytes = 2 * (BrokerLimits::JOB_OVERHEAD_BYTES as u64 + 4);
    talk.session(9).configures("r", QueueSettings { bytes_max: Some(bytes), ..NONE }).done();
    talk.session(9).enqueues_later("q", "x", 10).sees(["9: enqueued 1"]);
    let refused = ["9: LimitReached: the queue's own jobs_max of 1 is reached"];
    talk.session(9).enqueues("q", "x").sees(refused);
    talk.session(9).enqueues("r", "1234").sees(["9: enqueued 2"]);
    let refused = format!("9: LimitReached: the queue's own bytes_max of {bytes} is reached");
    talk.session(9).enqueues("r", "12345").sees([&*refused]);
    talk.session(9).enqueues("r", "1234").sees(["9: enqueued 3"]);
    talk.session(1).consumes("r", 1).sees(["1: done", "1 <- job 2 of r: 1234"]);
    talk.session(9).enqueues("r", "").sees([&*refused]);
    talk.session(1).acks(2).sees(["1: done", "1 <- job 3 of r: 1234"]);
    talk.session(9).enqueues("r", "").sees(["9: enqueued 4"]);
}

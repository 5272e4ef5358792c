//! Any message about queues. Boxed: the choice between all messages is too large for a thread's stack.

use crate::random::{bytes, queue, value, wide};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use workyard_protocol::Delay;
use workyard_protocol::channel::{
    Ack, Backoff, Cancel, Cause, Configure, Consume, Dead, DeadJob, Enqueue, Nack, NackReason,
    PublisherId, QueueSettings, QueueStats, Queues, Redrive, Remove, Renew, Reply, Request,
    Settings, SettingsInForce,
};
use workyard_protocol::limits::DELAY_MS_MAX;

pub(crate) fn queue_request() -> impl Strategy<Value = Request<'static>> {
    prop_oneof![
        (queue(), delay(), any::<u8>(), option::of(id()), value()).prop_map(
            |(queue, delay, priority, id, value)| {
                Request::Enqueue(Enqueue { queue, delay, priority, id, value })
            }
        ),
        (queue(), 1..=65_535u32)
            .prop_map(|(queue, prefetch)| Request::Consume(Consume { queue, prefetch })),
        wide().prop_map(|lease| Request::Ack(Ack { lease })),
        (wide(), option::of(delay()), option::of(reason()))
            .prop_map(|(lease, delay, reason)| { Request::Nack(Nack { lease, delay, reason }) }),
        vec(wide(), 0..5).prop_map(|leases| Request::Renew(Renew { leases })),
        queue().prop_map(|queue| Request::Cancel(Cancel { queue })),
        (bytes(), wide(), 1..=1000u32)
            .prop_map(|(prefix, cursor, limit)| Request::Queues(Queues { prefix, cursor, limit })),
        (queue(), wide()).prop_map(|(queue, job)| Request::Remove(Remove { queue, job })),
        (queue(), settings())
            .prop_map(|(queue, settings)| Request::Configure(Configure { queue, settings })),
        queue().prop_map(|queue| Request::Settings(Settings { queue })),
        (queue(), wide(), 1..=1000u32).prop_map(|(queue, cursor, limit)| Request::Dead(Dead {
            queue,
            cursor,
            limit
        })),
        (queue(), wide(), 1..=10_000u32)
            .prop_map(|(queue, cursor, limit)| Request::Redrive(Redrive { queue, cursor, limit })),
    ]
    .boxed()
}

pub(crate) fn queue_reply() -> impl Strategy<Value = Reply<'static>> {
    let in_force = (any::<u32>(), any::<u32>(), backoff(), delay(), wide(), wide()).prop_map(
        |(lease_ms, attempts_max, backoff, dedup_window, jobs_max, bytes_max)| SettingsInForce {
            lease_ms,
            attempts_max,
            backoff,
            dedup_window,
            jobs_max,
            bytes_max,
        },
    );
    prop_oneof![
        (wide(), any::<bool>()).prop_map(|(job, duplicate)| Reply::Enqueued { job, duplicate }),
        (wide(), vec(stats(), 0..4)).prop_map(|(cursor, queues)| Reply::Queues { cursor, queues }),
        vec(wide(), 0..5).prop_map(|lost| Reply::Renewed { lost }),
        (wide(), wide()).prop_map(|(jobs, cursor)| Reply::Counted { jobs, cursor }),
        (settings(), in_force).prop_map(|(own, in_force)| Reply::Settings { own, in_force }),
        (wide(), vec(dead_job(), 0..4)).prop_map(|(cursor, jobs)| Reply::Dead { cursor, jobs }),
    ]
    .boxed()
}

fn stats() -> impl Strategy<Value = QueueStats<'static>> {
    (queue(), wide(), wide(), wide(), wide(), any::<u32>(), wide()).prop_map(
        |(queue, ready, leased, delayed, dead, consumers, oldest_ms)| QueueStats {
            queue,
            ready,
            leased,
            delayed,
            dead,
            consumers,
            oldest_ms,
        },
    )
}

fn dead_job() -> impl Strategy<Value = DeadJob<'static>> {
    let cause = prop::sample::select(vec![Cause::Nack, Cause::Expiry, Cause::Disconnect]);
    (wide(), any::<u32>(), cause, option::of(reason()), wide(), any::<u32>()).prop_map(
        |(job, attempts, cause, reason, age_ms, size)| DeadJob {
            job,
            attempts,
            cause,
            reason,
            age_ms,
            size,
        },
    )
}

fn settings() -> impl Strategy<Value = QueueSettings> {
    let bound = || option::of(1..=u64::MAX);
    let number = || option::of(any::<u32>());
    let window = option::of(delay());
    (number(), number(), option::of(backoff()), window, bound(), bound()).prop_map(
        |(lease_ms, attempts_max, backoff, dedup_window, jobs_max, bytes_max)| QueueSettings {
            lease_ms,
            attempts_max,
            backoff,
            dedup_window,
            jobs_max,
            bytes_max,
        },
    )
}

fn backoff() -> impl Strategy<Value = Backoff> {
    prop_oneof![
        Just(Backoff::None),
        delay().prop_map(Backoff::Fixed),
        (delay(), delay()).prop_map(|(one, other)| Backoff::Exponential {
            first: one.min(other),
            max: one.max(other),
        }),
    ]
}

fn delay() -> impl Strategy<Value = Delay> {
    wide().prop_map(|millis| Delay::from_millis(millis % (DELAY_MS_MAX + 1)).expect("in bounds"))
}

fn id() -> impl Strategy<Value = PublisherId<'static>> {
    bytes().prop_map(|bytes| PublisherId::new(&bytes[..bytes.len().min(256)]).expect("short"))
}

fn reason() -> impl Strategy<Value = NackReason<'static>> {
    ".{0,20}".prop_map(|text| NackReason::new(text.leak()).expect("short"))
}

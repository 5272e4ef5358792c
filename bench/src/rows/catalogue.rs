//! All rows, with the goals that the project has set itself.

use super::scale::{self, Points};
use super::{Goal, Pace, Row, Section, Via, Work};
use crate::load::Operation;
use crate::peer::{Family, Spoken};
use std::time::Duration;

/// How large the rows are that count something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) connections: usize,
    pub(crate) keys: u64,
    pub(crate) jobs: u64,
    pub(crate) subscriptions: u32,
    /// Connections that share the subscriptions.
    pub(crate) subscribers: usize,
    /// Subscribers that read, and that do not.
    pub(crate) healthy: usize,
    pub(crate) stalled: usize,
    pub(crate) scale: Points,
}

/// Longer than any run takes.
const JOB_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Keys that requests are spread over.
pub(super) const KEYS: u64 = 10_000;

impl Sizes {
    pub(crate) const FULL: Self = Self {
        connections: 10_000,
        keys: 1_000_000,
        jobs: 1_000_000,
        subscriptions: 100_000,
        subscribers: 100,
        healthy: 100,
        stalled: 1000,
        scale: Points::FULL,
    };

    /// Enough to see that it works.
    pub(crate) const QUICK: Self = Self {
        connections: 200,
        keys: 5_000,
        jobs: 5_000,
        subscriptions: 1_000,
        subscribers: 10,
        healthy: 5,
        stalled: 20,
        scale: Points::QUICK,
    };
}

/// Every row, section by section.
pub(crate) fn all(sizes: Sizes) -> Vec<Row> {
    let mut rows = saturated();
    rows.extend(kept());
    rows.extend(watched());
    rows.extend(paced());
    rows.extend(latency());
    rows.push(stalled(sizes));
    rows.extend(keys());
    rows.extend(jobs());
    rows.extend(echo());
    rows.extend(memory(sizes));
    rows.push(connects(sizes));
    rows.extend(scale::rows(sizes));
    rows
}

/// Whether the smoke form has this row.
pub(crate) fn is_quick(row: &Row) -> bool {
    const NAMES: [&str; 19] = [
        "fanout/1x1/64",
        "fanout/1x100/64",
        "fanout/10x10/1024",
        "fanout/1x10/16384",
        "kept/1x10/64",
        "watch/1x10/64",
        "paced/1x10",
        "latency/1x10",
        "latency/get",
        "kv/get/1x1",
        "kv/get/50x16",
        "kv/set/50x16",
        "kv/incr/50x16",
        "kv/cas/4x100",
        "jobs/10x10/64",
        "echo/frame/50x16",
        "echo/text/50x16",
        "echo/web-socket/50x16",
        "echo/http/50x1",
    ];
    let is_small = matches!(
        row.section,
        Section::Stalled | Section::Memory | Section::Connects | Section::Scale(_)
    );
    is_small || NAMES.contains(&&*row.name)
}

/// Publishers and subscribers, and the goals for 64 B, 1 KiB and 16 KiB in times the limit.
type SaturatedRow = (usize, usize, [Option<f64>; 3]);

fn saturated() -> Vec<Row> {
    const SHAPES: [SaturatedRow; 5] = [
        (1, 1, [Some(5.0), Some(1.6), Some(1.2)]),
        (1, 10, [Some(3.8), Some(1.5), Some(1.2)]),
        (1, 100, [Some(3.3), Some(1.5), Some(1.2)]),
        (1, 1000, [Some(2.7), None, None]),
        (10, 10, [Some(3.3), None, None]),
    ];
    const PAYLOADS: [(usize, &str); 3] = [(64, "64 B"), (1024, "1 KiB"), (16384, "16 KiB")];
    let mut rows = Vec::new();
    for (column, (payload_bytes, payload)) in PAYLOADS.into_iter().enumerate() {
        for (publishers, subscribers, goals) in SHAPES {
            rows.push(Row {
                name: format!("fanout/{publishers}x{subscribers}/{payload_bytes}"),
                title: format!("{publishers} -> {subscribers}, {payload}"),
                section: Section::Saturated,
                work: Work::Fanout {
                    publishers,
                    subscribers,
                    payload_bytes,
                    pace: Pace::Saturated,
                    via: Via::Channel,
                },
                goal: goals[column].map(Goal::TimesLimit),
            });
        }
    }
    rows
}

/// Beside the same rows of channels that keep nothing.
fn kept() -> Vec<Row> {
    const SHAPES: [(usize, usize); 3] = [(1, 1), (1, 10), (1, 100)];
    let row = |(publishers, subscribers)| Row {
        name: format!("kept/{publishers}x{subscribers}/64"),
        title: format!("{publishers} -> {subscribers}, 64 B, kept"),
        section: Section::Saturated,
        work: Work::Fanout {
            publishers,
            subscribers,
            payload_bytes: 64,
            pace: Pace::Saturated,
            via: Via::KeptChannel,
        },
        goal: None,
    };
    SHAPES.map(row).into()
}

/// A variable stored again and again, instead of messages published.
fn watched() -> Vec<Row> {
    const WATCHERS: [usize; 4] = [1, 10, 100, 1000];
    let row = |subscribers| Row {
        name: format!("watch/1x{subscribers}/64"),
        title: format!("1 -> {subscribers}, 64 B, watched"),
        section: Section::Saturated,
        work: Work::Fanout {
            publishers: 1,
            subscribers,
            payload_bytes: 64,
            pace: Pace::Saturated,
            via: Via::Watch,
        },
        goal: None,
    };
    WATCHERS.map(row).into()
}

fn paced() -> Vec<Row> {
    const SHAPES: [(usize, u32); 3] = [(1, 1000), (10, 1000), (100, 200)];
    let row = |(subscribers, rate)| Row {
        name: format!("paced/1x{subscribers}"),
        title: format!("1 -> {subscribers}, 64 B, {rate}/s"),
        section: Section::Paced,
        work: Work::Fanout {
            publishers: 1,
            subscribers,
            payload_bytes: 64,
            pace: Pace::PerSecond(f64::from(rate)),
            via: Via::Channel,
        },
        goal: Some(Goal::TimesLimit(1.15)),
    };
    SHAPES.map(row).into()
}

/// Messages and requests that travel alone, at a rate that is modest for the limit server.
fn latency() -> Vec<Row> {
    const SUBSCRIBERS: [usize; 3] = [1, 10, 100];
    const OPERATIONS: [Operation; 3] = [Operation::Get, Operation::Set, Operation::Increment];
    let row = |name: &str, title, work| Row {
        name: format!("latency/{name}"),
        title,
        section: Section::Latency,
        work,
        goal: Some(Goal::TimesLatency(1.2)),
    };
    let published = SUBSCRIBERS.map(|subscribers| {
        let work = Work::Fanout {
            publishers: 1,
            subscribers,
            payload_bytes: 64,
            pace: Pace::Modest,
            via: Via::Channel,
        };
        row(&format!("1x{subscribers}"), format!("1 -> {subscribers}, 64 B"), work)
    });
    let asked = OPERATIONS.map(|operation| {
        let (connections, depth) = (50, 1);
        let work = Work::Keys { operation, connections, depth, keys: KEYS, pace: Pace::Modest };
        row(operation.name(), format!("{}, {connections} x {depth}", operation.name()), work)
    });
    published.into_iter().chain(asked).collect()
}

fn stalled(sizes: Sizes) -> Row {
    let Sizes { healthy, stalled, .. } = sizes;
    Row {
        name: format!("stalled/{healthy}"),
        title: format!("1 -> {healthy}, 64 B, beside {stalled} that never read"),
        section: Section::Stalled,
        work: Work::Stalled { healthy, stalled, pace: Pace::Modest },
        goal: Some(Goal::TimesWithout(1.2)),
    }
}

/// Connections and depth, and the goals for get, set, incr and cas.
type KeysRow = (usize, usize, [Option<f64>; 4]);

fn keys() -> Vec<Row> {
    const SHAPES: [KeysRow; 4] = [
        (1, 1, [Some(1.1), Some(1.1), Some(1.1), None]),
        (50, 1, [Some(1.1), Some(1.1), Some(1.1), None]),
        (50, 16, [Some(1.4), Some(1.5), Some(1.3), Some(1.4)]),
        (4, 100, [Some(2.8), Some(3.2), Some(2.8), Some(2.6)]),
    ];
    let mut rows = Vec::new();
    for (connections, depth, goals) in SHAPES {
        for (operation, goal) in Operation::ALL.into_iter().zip(goals) {
            let name = operation.name();
            rows.push(Row {
                name: format!("kv/{name}/{connections}x{depth}"),
                title: format!("{name}, {connections} x {depth}"),
                section: Section::Keys,
                work: Work::Keys {
                    operation,
                    connections,
                    depth,
                    keys: KEYS,
                    pace: Pace::Saturated,
                },
                goal: goal.map(Goal::TimesLimit),
            });
        }
    }
    rows
}

fn jobs() -> Vec<Row> {
    const SHAPES: [(usize, usize, usize, &str); 3] =
        [(1, 1, 64, "64 B"), (10, 10, 64, "64 B"), (1, 1, 1024, "1 KiB")];
    let row = |(producers, consumers, payload_bytes, payload)| Row {
        name: format!("jobs/{producers}x{consumers}/{payload_bytes}"),
        title: format!("{producers} -> {consumers}, {payload}"),
        section: Section::Jobs,
        work: Work::Jobs { producers, consumers, payload_bytes },
        goal: None,
    };
    SHAPES.map(row).into()
}

/// A worker of the runtime, beside a server that sends back whatever it reads.
fn echo() -> Vec<Row> {
    const SHAPES: [(usize, usize, Option<f64>); 4] =
        [(1, 1, Some(1.3)), (50, 1, Some(1.3)), (50, 16, None), (4, 100, None)];
    let rows = Spoken::ALL.into_iter().flat_map(|spoken| {
        SHAPES.map(|(connections, depth, goal)| Row {
            name: format!("echo/{}/{connections}x{depth}", spoken.name()),
            title: format!("{}, {connections} x {depth}", spoken.name()),
            section: Section::Echo,
            work: Work::Echo { spoken, connections, depth },
            goal: goal.map(|goal| match spoken {
                // At least 90 % of hyper's requests per second of CPU time.
                Spoken::Http => Goal::TimesLimit(1.11),
                _ => Goal::TimesLimit(goal),
            }),
        })
    });
    rows.collect()
}

fn memory(sizes: Sizes) -> Vec<Row> {
    let Sizes { connections, keys, jobs, subscriptions, subscribers, .. } = sizes;
    let idle = |family, is_subscribed| Work::Idle { family, connections, is_subscribed };
    let backlog = |delay| Work::Backlog { jobs, delay };
    let spread = Work::Subscriptions { subscriptions, connections: subscribers };
    let row = |name: &str, title: String, work, bytes| Row {
        name: format!("memory/{name}"),
        title,
        section: Section::Memory,
        work,
        goal: Some(Goal::Bytes(bytes)),
    };
    vec![
        row(
            "idle",
            format!("idle connection, of {connections}"),
            idle(Family::Channels, false),
            1000.0,
        ),
        row(
            "subscribed",
            format!("connection with a subscription, of {connections}"),
            idle(Family::Channels, true),
            1500.0,
        ),
        row(
            "idle-keys",
            format!("idle connection to a store, of {connections}"),
            idle(Family::Keys, false),
            1000.0,
        ),
        row(
            "subscription",
            format!("subscription, of {subscriptions} over {subscribers} connections"),
            spread,
            200.0,
        ),
        row("key", format!("key with 64 B, of {keys}"), Work::Fill { keys }, 150.0),
        Row {
            goal: None,
            ..row("job", format!("job with 64 B, of {jobs}"), backlog(Duration::ZERO), 0.0)
        },
        row(
            "job-delayed",
            format!("delayed job with 64 B, of {jobs}"),
            backlog(JOB_DELAY),
            64.0 + 200.0,
        ),
    ]
}

fn connects(sizes: Sizes) -> Row {
    let connections = sizes.connections;
    Row {
        name: "connects".to_owned(),
        title: format!("burst of {connections} connects"),
        section: Section::Connects,
        work: Work::Connects { connections },
        goal: Some(Goal::PerSecond(50_000.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_some_are_quick() {
        let rows = all(Sizes::FULL);
        let names: HashSet<&str> = rows.iter().map(|row| &*row.name).collect();
        assert_eq!(names.len(), rows.len());
        assert_eq!(rows.len(), 15 + 3 + 4 + 3 + 6 + 1 + 16 + 3 + 16 + 7 + 1 + 27);
        assert_eq!(all(Sizes::QUICK).iter().filter(|row| is_quick(row)).count(), 19 + 1 + 8 + 6);
    }
}

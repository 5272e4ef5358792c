//! A server that goes away and comes back: fifty clients have everything back that they had.

use crate::support::{all, builder, client, daemon, done, next};
use workyard_channel::{
    ChannelClient, Consumer, DisconnectReason, ErrorKind, Event, Events, Reason, Subscription,
};
use workyard_tests::clients::{event, within};
use workyard_tests::{ChannelWire, Daemon};

const CLIENTS: usize = 50;

/// A client with one of everything that has to come back.
struct Worker {
    client: ChannelClient,
    events: Events,
    channel: Subscription,
    own: Subscription,
    pattern: Subscription,
    group: Subscription,
    jobs: Consumer,
}

impl Worker {
    async fn start(daemon: &Daemon<ChannelWire>, number: usize) -> Self {
        let client = builder(daemon).connect().await.unwrap();
        Self {
            events: client.events(),
            channel: client.subscribe("everybody").await.unwrap(),
            own: client.subscribe(format!("own.{number}")).await.unwrap(),
            pattern: client.subscribe_pattern("events.>").await.unwrap(),
            group: client.subscribe_group("tasks", "workers").await.unwrap(),
            jobs: client.consume("jobs", 1).await.unwrap(),
            client,
        }
    }

    /// Waits until the connection was lost and is there again, and the server has heard what to
    /// restore. Returns how it was lost.
    async fn comes_back(&mut self) -> DisconnectReason {
        let lost = event(&mut self.events, |event| match event {
            Event::Disconnected { reason, .. } => Some(reason),
            _ => None,
        });
        let lost = lost.await;
        let resumed = event(&mut self.events, |event| match event {
            Event::Connected { resumed, .. } => Some(resumed),
            other => panic!("not before there is a connection: {other:?}"),
        });
        assert!(!resumed.await, "it is another run of the server");
        within(self.client.ping()).await.unwrap();
        lost
    }
}

/// Everything that the workers have receives something.
async fn everything_works(publisher: &ChannelClient, workers: &mut [Worker], interrupted: bool) {
    assert_eq!(publisher.publish("everybody", "hello").await.unwrap(), CLIENTS as u64);
    assert_eq!(publisher.publish("events.a.b", "event").await.unwrap(), CLIENTS as u64);
    for number in 0..CLIENTS {
        assert_eq!(publisher.publish(format!("own.{number}"), &number).await.unwrap(), 1);
        assert_eq!(publisher.publish("tasks", &number).await.unwrap(), 1);
        publisher.enqueue("jobs", &number).await.unwrap();
    }
    let (mut tasks, mut jobs) = (Vec::new(), Vec::new());
    for (number, worker) in workers.iter_mut().enumerate() {
        for (subscription, text) in [(&mut worker.channel, "hello"), (&mut worker.pattern, "event")]
        {
            let message = next(subscription).await;
            assert_eq!(message.decode::<String>().unwrap(), text);
            assert_eq!(message.interrupted_before(), interrupted);
        }
        assert_eq!(next(&mut worker.own).await.decode::<usize>().unwrap(), number);
        // Members of a group take turns, and a consumer of one job at a time holds but one.
        tasks.push(next(&mut worker.group).await.decode::<usize>().unwrap());
        let job = within(worker.jobs.next()).await.unwrap();
        jobs.push(job.decode::<usize>().unwrap());
        job.ack().await.unwrap();
    }
    for numbers in [&mut tasks, &mut jobs] {
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..CLIENTS), "{numbers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_clients_survive_a_server_that_is_killed() {
    let mut daemon = daemon();
    let publisher = client(&daemon).await;
    let mut workers = all((0..CLIENTS).map(|number| Worker::start(&daemon, number))).await;
    everything_works(&publisher, &mut workers, false).await;
    for _ in 0..2 {
        daemon.kill();
        daemon.start_again();
        for lost in all(workers.iter_mut().map(Worker::comes_back)).await {
            let known = matches!(lost, DisconnectReason::ServerClosed | DisconnectReason::Io(_));
            assert!(known, "{lost:?}");
        }
        everything_works(&publisher, &mut workers, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_clients_survive_a_server_that_is_restarted() {
    let mut daemon = daemon();
    let publisher = client(&daemon).await;
    let mut workers = all((0..CLIENTS).map(|number| Worker::start(&daemon, number))).await;
    everything_works(&publisher, &mut workers, false).await;
    for _ in 0..2 {
        daemon.terminate();
        assert_eq!(daemon.wait(), 0, "nobody had to be cut");
        daemon.start_again();
        for lost in all(workers.iter_mut().map(Worker::comes_back)).await {
            match lost {
                DisconnectReason::Goodbye(refusal) => {
                    assert_eq!(refusal.reason, Reason::ShuttingDown);
                }
                other => panic!("it did not say goodbye: {other:?}"),
            }
        }
        everything_works(&publisher, &mut workers, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_before_a_restart_is_not_restored() {
    let mut daemon = daemon();
    let [one, two] = crate::support::clients(&daemon, 2).await.try_into().unwrap();
    let mut events = two.events();
    let dropped = two.subscribe("news").await.unwrap();
    let mut ended = two.subscribe("news").await.unwrap();
    let mut consumer = two.consume("jobs", 1).await.unwrap();
    drop(dropped);
    ended.unsubscribe().await.unwrap();
    consumer.cancel().await.unwrap();
    daemon.kill();
    daemon.start_again();
    let connected = |event| matches!(event, Event::Connected { .. }).then_some(());
    event(&mut events, connected).await;
    two.ping().await.unwrap();
    assert_eq!(one.publish("news", "x").await.unwrap(), 0);
    one.enqueue("jobs", "x").await.unwrap();
    let stats = within(one.queues("").next()).await.unwrap().unwrap();
    assert_eq!((stats.ready, stats.leased, stats.consumers), (1, 0, 0));
    assert!(ended.next().await.is_none());
    assert!(consumer.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_wait_for_a_server_that_is_away_for_a_moment() {
    let mut daemon = daemon();
    let client = client(&daemon).await;
    let mut events = client.events();
    daemon.kill();
    event(&mut events, |event| matches!(event, Event::Disconnected { .. }).then_some(())).await;
    let calls = (0..100).map(|number| {
        let client = client.clone();
        tokio::spawn(async move { client.enqueue("jobs", &number).await })
    });
    let calls: Vec<_> = calls.collect();
    daemon.start_again();
    let jobs = done(all(calls).await.into_iter().map(Result::unwrap).collect());
    assert_eq!(jobs.len(), 100);
    let stats = within(client.queues("jobs").next()).await.unwrap().unwrap();
    assert_eq!(stats.ready, 100);

    daemon.kill();
    let hasty = client.with_call_timeout(std::time::Duration::from_millis(100));
    let unreachable = || async {
        // The first may still be in flight when the connection is lost.
        hasty.publish("x", &1).await.is_err_and(|error| error.kind() == ErrorKind::Unreachable)
    };
    workyard_tests::clients::until("calls fail", unreachable).await;
}
